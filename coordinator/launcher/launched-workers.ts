import type { LaunchedWorker, WorkerExit } from "./launcher.js";

/** How long processes get to leave by themselves before they are killed. */
const LEAVE_MS = 5000;

/** The processes that a launcher started for one job. None of them outlives {@link dismiss}. */
export class LaunchedWorkers {
  readonly #workers: LaunchedWorker[] = [];

  /** `onEnded` is told when the process ends, whenever that is. */
  adopt(worker: LaunchedWorker, onEnded: (exit: WorkerExit) => void): void {
    this.#workers.push(worker);
    void worker.ended.then(onEnded);
  }

  /** How many were started, whether they still run or not. */
  get count(): number {
    return this.#workers.length;
  }

  find(workerId: string): LaunchedWorker | null {
    return this.#workers.find((worker) => worker.workerId === workerId) ?? null;
  }

  /**
   * Waits until all have ended; kills those that need longer than 5 s.
   * @param hearsStop whether a process was told to leave and can hear it; the others are killed at once.
   */
  async dismiss(hearsStop: (worker: LaunchedWorker) => boolean): Promise<void> {
    const kill = (workers: readonly LaunchedWorker[]): void => {
      for (const worker of workers) worker.kill();
    };
    kill(this.#workers.filter((worker) => !hearsStop(worker)));
    const late = setTimeout(() => kill(this.#workers), LEAVE_MS);
    await Promise.all(this.#workers.map((worker) => worker.ended));
    clearTimeout(late);
  }
}
