import { NO_CHECKPOINTS } from "../../shared/checkpoint-plan.js";
import { type Failure, RingstrasseError, toFailure } from "../../shared/failure.js";
import type { Generation, JobId } from "../../shared/ids.js";
import type { CoordinatorBody, FromWorker } from "../../shared/protocol/control-message.js";
import type { CheckpointPiece, CheckpointStore } from "./checkpoint-store.js";
import type { WorkerRecord } from "./worker-record.js";

export type CheckpointMessage = Extract<
  FromWorker,
  { kind: "checkpoint" | "checkpointPiece" | "checkpointMissed" | "fetchState" }
>;

/** What a job may end with after its state is saved. */
export type SavedEnding = Extract<Failure, { code: "INTERRUPTED" | "WORKER_LEFT" }>;

export interface CheckpointTrafficOptions {
  readonly job: { readonly jobId: JobId; readonly generation: Generation };
  /** Null: the job has none. */
  readonly store: CheckpointStore | null;
  readonly send: (worker: WorkerRecord, body: CoordinatorBody) => void;
  /** Ends the job. */
  readonly fail: (failure: Failure) => void;
}

/** The part of a job's messages that is about checkpoints: takes in those of rank 0, and gives all workers the state to begin with. */
export class CheckpointTraffic {
  readonly #options: CheckpointTrafficOptions;
  /** That the job is to end with once its state is saved. */
  #ending: SavedEnding | null = null;

  constructor(options: CheckpointTrafficOptions) {
    this.#options = options;
  }

  /** What every worker is told with its place. */
  get assigned(): Pick<Extract<CoordinatorBody, { kind: "assign" }>, "checkpoints" | "resume"> {
    const { store } = this.#options;
    return { checkpoints: store?.plan ?? NO_CHECKPOINTS, resume: store?.beginning ?? null };
  }

  /**
   * Ends the job as soon as its state is saved. Once.
   * @param rankZero null: no worker has a place yet, so that there is no state either
   * @returns false where states are not saved
   */
  saveAndEnd(rankZero: WorkerRecord | null, ending: SavedEnding): boolean {
    const { store, job, send } = this.#options;
    if (store === null) return false;
    const isFirst = this.#ending === null;
    this.#ending = ending;
    if (rankZero === null) this.#end(store);
    else if (isFirst) send(rankZero, { kind: "takeCheckpoint", ...job });
    return true;
  }

  /** @throws RingstrasseError PROTOCOL_VIOLATION */
  received(worker: WorkerRecord, rank: number, message: CheckpointMessage): void {
    const { store } = this.#options;
    if (store === null || (rank !== 0 && message.kind !== "fetchState"))
      throw violation(rank, `it sent ${message.kind}, which nobody wants of it`);
    switch (message.kind) {
      case "checkpoint":
        return store.opened(message);
      case "checkpointPiece":
        return this.#inTime(this.#takeIn(store, worker, message));
      case "checkpointMissed":
        store.missed(message);
        return message.asked ? this.#end(store) : undefined;
      case "fetchState":
        if (store.beginning === null) throw violation(rank, "it asked for a state, and there is none to begin with");
        return this.#inTime(this.#give(store, worker, message));
    }
  }

  async #takeIn(store: CheckpointStore, worker: WorkerRecord, message: CheckpointPiece): Promise<void> {
    const { job, send } = this.#options;
    const receivedBytes = message.offsetBytes + message.bytes.byteLength;
    const outcome = await store.piece(message);
    send(worker, { kind: "checkpointReceived", ...job, receivedBytes });
    if (outcome.kind === "over" && outcome.asked) this.#end(store);
  }

  async #give(
    store: CheckpointStore,
    worker: WorkerRecord,
    { offsetBytes, lengthBytes }: Extract<CheckpointMessage, { kind: "fetchState" }>,
  ): Promise<void> {
    const { job, send } = this.#options;
    const bytes = await store.read(offsetBytes, lengthBytes);
    send(worker, { kind: "state", ...job, offsetBytes, bytes });
  }

  /** Whether its last state could be saved or not: the ones before it stay. */
  #end({ resumeFrom }: CheckpointStore): void {
    if (this.#ending === null) return;
    this.#options.fail({ ...this.#ending, ...(resumeFrom === null ? {} : { resumeFrom }) });
  }

  #inTime(work: Promise<void>): void {
    work.catch((thrown: unknown) => this.#options.fail(toFailure(thrown)));
  }
}

function violation(rank: number, problem: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: `worker rank ${rank}`, problem });
}
