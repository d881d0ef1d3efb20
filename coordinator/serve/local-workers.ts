import { describeFailure } from "../../shared/describe-failure.js";
import { toFailure } from "../../shared/failure.js";
import type { Logger } from "../../shared/logger.js";
import type { WorkerPool } from "../group/worker-pool.js";
import type { LaunchedWorker, Launcher, LaunchPlan } from "../launcher/launcher.js";

/** First pause before a worker that ended is started again; doubled with every end in a row, up to the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A worker that lived so long counts as healthy: its end is the first in a row again. */
const HEALTHY_MS = 60_000;

export interface LocalWorkersOptions {
  readonly launcher: Launcher;
  readonly pool: WorkerPool;
  readonly plan: Omit<LaunchPlan, "places">;
  readonly log: Logger;
}

/** Keeps a number of worker processes running on this host: one that ends is started again, after a pause that grows. */
export class LocalWorkers implements Disposable {
  readonly #options: LocalWorkersOptions;
  readonly #pauses = new Map<number, NodeJS.Timeout>();
  readonly #endsInARow = new Map<number, number>();
  #closed = false;

  constructor(options: LocalWorkersOptions) {
    this.#options = options;
  }

  /** Starts workers at these places. @throws RingstrasseError LAUNCH_FAILED */
  async start(count: number): Promise<void> {
    for (let place = 0; place < count; place++) await this.#launch(place);
  }

  /** Starts no more; the processes are the pool's to end. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const pause of this.#pauses.values()) clearTimeout(pause);
  }

  async #launch(place: number): Promise<void> {
    const { launcher, plan, pool } = this.#options;
    await launcher.launch({ ...plan, places: [place] }, (worker) => {
      pool.adopt(worker);
      this.#watch(worker, performance.now());
    });
  }

  #watch(worker: LaunchedWorker, startedAt: number): void {
    void worker.ended.then(() => {
      if (performance.now() - startedAt > HEALTHY_MS) this.#endsInARow.delete(worker.index);
      this.#relaunch(worker.index);
    });
  }

  #relaunch(place: number): void {
    if (this.#closed) return;
    const ends = this.#endsInARow.get(place) ?? 0;
    this.#endsInARow.set(place, ends + 1);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** ends);
    const { log } = this.#options;
    log.info({ place, pauseMs }, "a local worker has ended; starting another");
    const pause = setTimeout(() => {
      this.#pauses.delete(place);
      this.#launch(place).catch((thrown: unknown) => {
        const failure = toFailure(thrown);
        log.error({ failure }, describeFailure(failure));
        this.#relaunch(place);
      });
    }, pauseMs);
    this.#pauses.set(place, pause);
  }
}
