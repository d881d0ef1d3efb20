import { type Failure, toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { TrainEvent } from "../../shared/train-events.js";
import type { JobProgress } from "../store/job-record.js";
import type { JobStore } from "../store/job-store.js";
import type { JobStream } from "./job-stream.js";
import { outlastOutage } from "./outlast-outage.js";
import { eventsToTell, metricRows, progressAfter } from "./run-records.js";

/** How long an event waits for others to share a write with. */
const FLUSH_AFTER_MS = 100;
/** How long a run goes on while what it tells can't be kept. */
const OUTAGE_MS = 60_000;
/** Steps, and epochs, that wait for a slow disk at most: then every second one is left out. */
const MOST_WAITING = 10_000;

export interface RunJournalOptions {
  readonly id: JobId;
  readonly store: JobStore;
  readonly stream: JobStream;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Aborted: the run is to end, and an outage of the store is not waited for. */
  readonly signal: AbortSignal;
  /** Told when the store can't be written, each time. */
  readonly onOutage: (thrown: unknown) => void;
  /** Told once, when the events can't be kept: at once, or after a minute of an outage while the run goes on. */
  readonly onBroken: (failure: Failure) => void;
}

/**
 * Keeps what a run tells: events for followers, curves, progress. Events come one by one and are written by the batch, one batch at a
 * time; memory is bounded. The owner ends with {@link end}.
 */
export class RunJournal {
  readonly #options: RunJournalOptions;
  #waiting: TrainEvent[] = [];
  #count = { step: 0, epoch: 0 };
  #progress: JobProgress | null = null;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #isBroken = false;
  #isOver = false;

  constructor(options: RunJournalOptions) {
    this.#options = options;
  }

  /** Never throws. */
  hear(event: TrainEvent): void {
    if (this.#isBroken) return;
    this.#waiting.push(event);
    if (event.event === "step" || event.event === "epoch") {
      this.#count[event.event]++;
      if (this.#count[event.event] > MOST_WAITING) this.#thin(event.event);
    }
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_AFTER_MS);
  }

  /** The run is over: resolves when all that it has told is kept, however long an outage takes, or can't be. */
  end(): Promise<void> {
    this.#isOver = true;
    return this.#flush();
  }

  #flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const events = this.#waiting;
    if (events.length === 0 || this.#isBroken) return;
    this.#waiting = [];
    this.#count = { step: 0, epoch: 0 };
    const { id, store, stream, now, signal, onOutage, onBroken } = this.#options;
    const at = now();
    const progress = progressAfter(this.#progress, events, at);
    // Events last: whoever hears of them finds the rest.
    const parts = [
      () => store.addMetrics(id, metricRows(events, at)),
      () => (progress === null ? Promise.resolve() : store.recordProgress(id, progress)),
      () => stream.add(id, eventsToTell(events)),
    ];
    const mostMs = () => (this.#isOver ? Number.POSITIVE_INFINITY : OUTAGE_MS);
    try {
      await outlastOutage(() => keepAll(parts), { signal, mostMs, onOutage });
      this.#progress = progress;
    } catch (thrown) {
      this.#isBroken = true;
      this.#waiting = [];
      onBroken(toFailure(thrown));
    }
  }

  /** The newest stays. */
  #thin(kind: "step" | "epoch"): void {
    let newer = this.#count[kind];
    this.#waiting = this.#waiting.filter(({ event }) => {
      if (event !== kind) return true;
      newer--;
      return newer % 2 === 0;
    });
    this.#count[kind] = Math.ceil(this.#count[kind] / 2);
  }
}

/** Asked for at once, they share one wait for the disk. Those that were kept are not asked for again: they leave `parts`. */
async function keepAll(parts: (() => Promise<void>)[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts.map((part) => part()));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  parts.splice(0, parts.length, ...parts.filter((_, index) => outcomes[index]?.status === "rejected"));
  if (failed !== undefined) throw failed.reason;
}
