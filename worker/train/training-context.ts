import type { JobSpec } from "../../shared/job-spec.js";
import type { Collective } from "../collective/collective.js";
import type { ProgressBoard } from "../communication/progress-board.js";
import type { Engine, MicroBatch } from "../engine/engine.js";
import type { FaultPlan } from "../fault/fault-plan.js";
import type { Kernels } from "../kernels/kernels.js";
import type { CommitGate } from "../optimizer/commit-gate.js";
import type { Optimizer } from "../optimizer/optimizer.js";
import type { Arenas, Totals } from "./arenas.js";
import type { LossScaler } from "./loss-scaler.js";
import type { MicroBatchStream } from "./micro-batch-stream.js";

/** What one worker works with in one generation of a job. */
export interface TrainingContext {
  readonly spec: JobSpec;
  readonly generation: number;
  readonly rank: number;
  /** This worker's arc, ascending. */
  readonly localReplicas: readonly number[];
  readonly arenas: Arenas;
  readonly engine: Engine;
  readonly optimizer: Optimizer;
  readonly collective: Collective;
  /** Where its exchanges leave their totals. */
  readonly totals: Totals;
  readonly kernels: Kernels;
  readonly gate: CommitGate;
  readonly batches: MicroBatchStream;
  readonly board: ProgressBoard;
  readonly faults: FaultPlan;
  /** Aborts when the group is broken or the job called off; its reason is a RingstrasseError. */
  readonly signal: AbortSignal;
  /** Numbers the exchanges of this generation: 0, 1, 2, … alike on all workers. */
  nextSequence(): number;
  /** Of exchanges in fp16; null: nothing scales. */
  readonly lossScaler: LossScaler | null;
  /** Collects hashes of every step, when the job asks for them. */
  readonly trace: StepTrace | null;
}

export interface StepTrace {
  /** Before a micro-batch is computed; null: an empty one. */
  rows(batch: MicroBatch | null): void;
  /** After the gradients of a replica's micro-batches are computed and added up. */
  replica(replica: number, gradients: Float32Array): void;
}
