import type { CheckpointPlan } from "../../shared/checkpoint-plan.js";
import type { FromWorker } from "../../shared/protocol/control-message.js";
import type { TrainingPosition } from "../../shared/training-position.js";

export type CheckpointOpening = Extract<FromWorker, { kind: "checkpoint" }>;
export type CheckpointPiece = Extract<FromWorker, { kind: "checkpointPiece" }>;
export type CheckpointMissed = Extract<FromWorker, { kind: "checkpointMissed" }>;

/** What became of a piece; `over`: it was the last one of its checkpoint, which `kept` says whether there is. */
export type PieceOutcome =
  | { readonly kind: "more" }
  | { readonly kind: "over"; readonly asked: boolean; readonly kept: boolean };

/** The state that a generation begins with. */
export interface BeginningState {
  readonly position: TrainingPosition;
  readonly totalBytes: number;
  readonly stateSha256: string;
}

/** Where a group's checkpoints go, and where the one comes from that it begins with. */
export interface CheckpointStore {
  readonly plan: CheckpointPlan;
  /** Null: the job begins at its beginning. */
  readonly beginning: BeginningState | null;
  /** What a user goes on from if the job ends now; null: nothing was saved. */
  readonly resumeFrom: string | null;
  /** Of the state to begin with. @throws RingstrasseError CHECKPOINT_UNUSABLE, CHECKPOINT_UNREADABLE */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** A checkpoint begins. @throws RingstrasseError PROTOCOL_VIOLATION */
  opened(message: CheckpointOpening): void;
  /**
   * The next piece of it, this store's from now on. Resolves when the next one may come; a device that takes no more is no reason to fail.
   * @throws RingstrasseError PROTOCOL_VIOLATION
   */
  piece(message: CheckpointPiece): Promise<PieceOutcome>;
  missed(message: CheckpointMissed): void;
  /** All workers have told of this step, and what came before it is recorded. */
  stepTold(step: number): void;
}
