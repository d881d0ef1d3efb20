import { rm } from "node:fs/promises";
import type { JobEvent } from "../../shared/api/job-event.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { type Failure, RingstrasseError, toFailure } from "../../shared/failure.js";
import type { InterruptionFailure } from "../../shared/failure-place.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import { failedEvent } from "../../shared/train-events.js";
import type { InterruptedFailure } from "../cli/interruption.js";
import type { WorkerLossWish } from "../cli/serve-options.js";
import type { JobSummary, WorkersWanted } from "../store/job-record.js";
import type { JobStore } from "../store/job-store.js";
import { finishRun } from "./finish-run.js";
import type { InterruptedJobs } from "./interrupted-jobs.js";
import { isOutage } from "./is-outage.js";
import type { JobCheckpoints } from "./job-checkpoints.js";
import type { JobDocuments } from "./job-documents.js";
import type { JobKeeper } from "./job-keeper.js";
import type { JobLife } from "./job-life.js";
import type { JobStream } from "./job-stream.js";
import type { KeyedTurns } from "./keyed-turns.js";
import { withoutPaths } from "./lend-files.js";
import { outlastOutage } from "./outlast-outage.js";
import { RunEnding } from "./run-ending.js";
import { RunJournal } from "./run-journal.js";
import type { RunResults } from "./run-results.js";
import { StartPauses } from "./start-pauses.js";
import type { JobTrainer } from "./train-job.js";
import type { TrainingGround } from "./training-ground.js";
import type { TrainingTotals } from "./training-totals.js";

export interface RunKeeperOptions {
  readonly store: JobStore;
  readonly stream: JobStream;
  readonly life: JobLife;
  readonly documents: JobDocuments;
  readonly results: RunResults;
  readonly trainer: JobTrainer;
  readonly checkpoints: JobCheckpoints;
  readonly interrupted: InterruptedJobs;
  readonly afterWorkerLoss: WorkerLossWish;
  readonly ground: TrainingGround;
  /** Whoever changes a job's status does so in its turn. */
  readonly turns: KeyedTurns<JobId>;
  readonly log: Logger;
  readonly now: () => number;
  readonly totals: TrainingTotals;
}

interface LiveRun {
  readonly id: JobId;
  readonly ending: RunEnding;
  readonly journal: RunJournal;
  /** Workers that it was told to start on. */
  readonly workers: number;
  /** Workers that nobody else may take, though the training ground still counts them as idle. */
  setAside: number;
  /** Whether it has trained a step. */
  hasTrained: boolean;
  done: Promise<void>;
}

/** The runs on this service's own workers, from their start to what becomes of them. */
export class RunKeeper implements JobKeeper {
  readonly #options: RunKeeperOptions;
  readonly #runs = new Map<JobId, LiveRun>();
  readonly #pauses: StartPauses;
  /** Aborts when the service ends. */
  readonly #closing = new AbortController();
  #onEnded: () => void = () => undefined;

  constructor(options: RunKeeperOptions) {
    this.#options = options;
    this.#pauses = new StartPauses(options.log);
  }

  /** `listener` is told when a run has ended and its workers are free, and when a job that could not be started may be tried again. */
  onEnded(listener: () => void): void {
    this.#onEnded = listener;
  }

  /** Idle workers that runs which are about to start will take. */
  get setAside(): number {
    return [...this.#runs.values()].reduce((sum, run) => sum + run.setAside, 0);
  }

  /** Whether the job runs here, is about to, or is to be left alone for a while. */
  has(id: JobId): boolean {
    return this.#runs.has(id) || this.#pauses.has(id);
  }

  mustEnd({ id, status }: JobSummary): boolean {
    return status === "INPROGRESS" && this.#runs.has(id);
  }

  /** Starts a waiting job. Whatever comes of it is told by the job itself. */
  start(id: JobId, workers: number): void {
    const ending = new RunEnding();
    const { store, stream, now } = this.#options;
    const onBroken = (failure: Failure) => ending.abort(new RingstrasseError(failure));
    const onOutage = (thrown: unknown) => this.#tellOutage(id, thrown);
    const journal = new RunJournal({ id, store, stream, now, signal: ending.signal, onOutage, onBroken });
    const run: LiveRun = {
      id,
      ending,
      journal,
      workers,
      setAside: workers,
      hasTrained: false,
      done: Promise.resolve(),
    };
    this.#runs.set(id, run);
    run.done = this.#live(run);
  }

  /** Has the job's run end for this reason. Resolves when its workers are free; at once when it doesn't run here. */
  async stop(id: JobId, reason: RingstrasseError): Promise<void> {
    const run = this.#runs.get(id);
    run?.ending.abort(reason);
    await run?.done;
  }

  /** As {@link stop}, all runs, with their state saved: they wait again, for the next server. */
  async stopAll(reason: InterruptedFailure): Promise<void> {
    this.#pauses[Symbol.dispose]();
    for (const { ending } of this.#runs.values()) ending.shutDown(reason);
    this.#closing.abort();
    await Promise.all([...this.#runs.values()].map(({ done }) => done));
  }

  async #live(run: LiveRun): Promise<void> {
    const { log } = this.#options;
    using _ending = run.ending;
    try {
      if (await this.#isClaimed(run)) await this.#attempt(run);
    } catch (thrown) {
      log.error(
        { err: thrown, jobId: run.id },
        "the job's run could not be ended as it should; it is looked at again at the next start",
      );
    } finally {
      this.#runs.delete(run.id);
      this.#onEnded();
    }
  }

  /** False: somebody was faster, by cancelling it, say; or the store can't tell, and the job is left alone for a while. */
  async #isClaimed(run: LiveRun): Promise<boolean> {
    const { turns } = this.#options;
    try {
      return await turns.run(run.id, () => this.#claim(run));
    } catch (thrown) {
      if (run.ending.signal.aborted) throw thrown;
      this.#pauses.begin(run.id, thrown, () => this.#onEnded());
      return false;
    }
  }

  async #claim({ id, ending }: LiveRun): Promise<boolean> {
    if (ending.signal.aborted) return false;
    const keepsMetrics = await this.#mayGoOn(id);
    const claimed = await unlessGone(this.#options.life.claim(id, { keepsMetrics }));
    return claimed?.kind === "moved";
  }

  /** A run that goes on from a checkpoint goes on with its curves. */
  async #mayGoOn(id: JobId): Promise<boolean> {
    const { checkpoints, log } = this.#options;
    try {
      return await checkpoints.has(id);
    } catch (thrown) {
      // The run will say so by name when it opens them.
      log.warn({ jobId: id, err: thrown }, "checkpoints can't be looked at");
      return true;
    }
  }

  async #attempt(run: LiveRun): Promise<void> {
    const { trainer, life, totals } = this.#options;
    const { id, ending, journal } = run;
    const { signal } = ending;
    try {
      const result = await trainer.train({
        id,
        signal,
        emit: (event) => {
          totals.count([event]);
          journal.hear(event);
          if (event.event === "step" && !run.hasTrained) this.#hasTrained(run);
        },
        setAside: (wanted) => this.#setAside(run, wanted),
        taken: () => {
          run.setAside = 0;
        },
        onStop: (handler) => ending.onStop(handler),
      });
      await journal.end();
      // One that goes on from its last checkpoint has no step left.
      if (result.kind === "trained" && !run.hasTrained) this.#hasTrained(run);
      const outlast = <T>(work: () => Promise<T>) => this.#outlast(run, signal, work);
      if (result.kind === "trained") await finishRun(this.#options, result, outlast);
      else signal.throwIfAborted();
      if (result.kind === "short") await this.#settle(run, () => life.sendBack(id, null));
    } catch (thrown) {
      await journal.end();
      await this.#settle(run, this.#outcomeOf(run, thrown));
    }
  }

  #hasTrained(run: LiveRun): void {
    run.hasTrained = true;
    this.#pauses.end(run.id);
  }

  /**
   * Has the store keep what becomes of a job whose workers are free, in the job's turn. Until that can be kept the job stays this keeper's:
   * nobody else would ever look at it again.
   */
  async #settle(run: LiveRun, outcome: () => Promise<unknown>): Promise<void> {
    run.setAside = 0;
    await this.#outlast(run, this.#closing.signal, () => this.#options.turns.run(run.id, outcome));
  }

  #outlast<T>({ id }: LiveRun, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return outlastOutage(work, { signal, onOutage: (thrown) => this.#tellOutage(id, thrown) });
  }

  #tellOutage(id: JobId, thrown: unknown): void {
    const { log, stream, trainer } = this.#options;
    log.error({ jobId: id, err: thrown }, "what a run has come to can't be kept; trying again");
    const failure = withoutPaths(toFailure(thrown), [trainer.ownPath]);
    if (failure.code === "STORE_UNAVAILABLE") return;
    const message = `What the run has come to can't be kept yet, and is tried again: ${describeFailure(failure)}`;
    stream.add(id, [{ event: "warning", message }]).catch((cause: unknown) => {
      log.error({ jobId: id, err: cause }, "job not told why its result can't be kept");
    });
  }

  #setAside(run: LiveRun, wanted: WorkersWanted): number {
    const others = this.setAside - run.setAside;
    const workers = Math.min(wanted.max, run.workers, this.#options.ground.capacity(wanted).idle - others);
    run.setAside = workers < wanted.min ? 0 : workers;
    return run.setAside;
  }

  /** What becomes of a job whose run ended by this. */
  #outcomeOf({ id, hasTrained, ending: { signal, shutdown } }: LiveRun, thrown: unknown): () => Promise<unknown> {
    const { trainer, life, interrupted, log } = this.#options;
    const reason: unknown = signal.aborted ? signal.reason : thrown;
    if (shutdown !== null) return () => life.sendBack(id, shutdown);
    const failure = withoutPaths(toFailure(reason), [trainer.ownPath]);
    if (!hasTrained && isOutage(reason)) return () => this.#putOff(id, reason, failure);
    this.#pauses.forget(id);
    if (failure.code === "WORKER_LEFT") {
      // Neither the job nor the worker has failed: it waits for others.
      const { resumeFrom: _, ...left } = failure;
      return () => life.sendBack(id, left);
    }
    if (this.#options.afterWorkerLoss === "resume" && isWorkerLoss(failure)) {
      log.warn({ jobId: id, err: thrown }, "job has lost a worker");
      return () => interrupted.interrupt(id, failure);
    }
    log.warn({ jobId: id, err: thrown }, "job failed");
    const last: JobEvent[] = [failedEvent(failure)];
    return () => life.move(id, "fail", { reason: failure }, last);
  }

  /** The job could not begin, through no fault of its own: it waits, and is left alone for a while. */
  async #putOff(id: JobId, reason: unknown, failure: Failure): Promise<void> {
    await this.#options.life.sendBack(id, failure);
    if (!this.#closing.signal.aborted) this.#pauses.begin(id, reason, () => this.#onEnded());
  }

  /** Removes what the job's runs have written; what can't be removed is told to the log. */
  async forgetOutput(id: JobId): Promise<void> {
    this.#pauses.forget(id);
    const { trainer, log } = this.#options;
    try {
      await rm(trainer.outputOf(id), { recursive: true, force: true });
    } catch (thrown) {
      log.error({ err: thrown, jobId: id }, "output directory not removed");
    }
  }
}

/** Whether a run ended for a worker that another run of the job need not lose. */
function isWorkerLoss(failure: Failure): failure is InterruptionFailure {
  return failure.code === "WORKER_DIED" || failure.code === "WORKER_SILENT" || failure.code === "WORKER_STALLED";
}

async function unlessGone<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (thrown) {
    if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return null;
    throw thrown;
  }
}
