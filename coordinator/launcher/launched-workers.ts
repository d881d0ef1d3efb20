import type { LaunchedWorker, WorkerExit } from "./launcher.js";

/** How long processes get to leave by themselves before they are killed. */
const LEAVE_MS = 5000;

/** The processes that a launcher started and that still run. None of them outlives {@link dismiss}. */
export class LaunchedWorkers {
  readonly #running = new Set<LaunchedWorker>();
  readonly #names = new Set<string>();
  #count = 0;

  /** `onEnded` is told when the process ends, whenever that is. */
  adopt(worker: LaunchedWorker, onEnded: (exit: WorkerExit) => void): void {
    this.#running.add(worker);
    this.#names.add(worker.workerId);
    this.#count += 1;
    void worker.ended.then((exit) => {
      this.#running.delete(worker);
      onEnded(exit);
    });
  }

  /** How many were started, whether they still run or not. */
  get count(): number {
    return this.#count;
  }

  /** Those that run. */
  get running(): readonly LaunchedWorker[] {
    return [...this.#running];
  }

  /** Whether a process under this name was started, whether it still runs or not. */
  hasStarted(workerId: string): boolean {
    return this.#names.has(workerId);
  }

  find(workerId: string): LaunchedWorker | null {
    return [...this.#running].find((worker) => worker.workerId === workerId) ?? null;
  }

  /**
   * Waits until all have ended; kills those that need longer than 5 s.
   * @param hearsStop whether a process was told to leave and can hear it; the others are killed at once.
   */
  async dismiss(hearsStop: (worker: LaunchedWorker) => boolean): Promise<void> {
    const running = [...this.#running];
    const kill = (workers: readonly LaunchedWorker[]): void => {
      for (const worker of workers) worker.kill();
    };
    kill(running.filter((worker) => !hearsStop(worker)));
    const late = setTimeout(() => kill(running), LEAVE_MS);
    await Promise.all(running.map((worker) => worker.ended));
    clearTimeout(late);
  }
}
