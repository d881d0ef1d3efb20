import type { ReplicaBlockHashes } from "../../shared/block-hash.js";
import type { JobSpec } from "../../shared/job-spec.js";
import type { PushPull, PushPullReport } from "../async/push-pull.js";
import type { Collective } from "../collective/collective.js";
import type { ProgressBoard } from "../communication/progress-board.js";
import type { Engine, MicroBatch } from "../engine/engine.js";
import type { FaultPlan } from "../fault/fault-plan.js";
import type { Kernels } from "../kernels/kernels.js";
import type { CommitGate } from "../optimizer/commit-gate.js";
import type { Optimizer } from "../optimizer/optimizer.js";
import type { Arenas, Totals } from "./arenas.js";
import type { LocalRounds } from "./local-rounds.js";
import type { LossScaler } from "./loss-scaler.js";
import type { MicroBatchStream } from "./micro-batch-stream.js";
import type { ReplicaStates } from "./replica-states.js";
import type { StepId } from "./train-step.js";

/** What one worker works with in one generation of a job. */
export interface TrainingContext {
  readonly spec: JobSpec;
  readonly generation: number;
  readonly rank: number;
  /** This worker's arc, ascending. */
  readonly localReplicas: readonly number[];
  readonly arenas: Arenas;
  readonly engine: Engine;
  /** Of the committed parameters: where rounds are trained, the outer one. */
  readonly optimizer: Optimizer;
  readonly collective: Collective;
  /** What steps of an asynchronous job do instead of an exchange; null: it is synchronous. One call at a time, exchanges included. */
  readonly pushPull: ((request: PushPull) => Promise<PushPullReport>) | null;
  /** Updates of an asynchronous job up to the end of an epoch; null: it is synchronous. */
  readonly updatesUpTo: ((epoch: number) => number) | null;
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
  /** Where replicas have state of their own; null: all that training goes on from is common. */
  readonly replicaStates: ReplicaStates | null;
  /** Trains several steps between two exchanges; null: replicas exchange in every step. */
  readonly rounds: LocalRounds | null;
  /** Collects hashes of every step, when the job asks for them. */
  readonly trace: StepTrace | null;
}

export interface StepTrace {
  /** Before a micro-batch is computed; null: an empty one. */
  rows(batch: MicroBatch | null): void;
  /** After the gradients of a replica's micro-batches are computed and added up. */
  replica(replica: number, gradients: Float32Array): void;
  /** What was collected since the last call. @param parameters that the step led to, on the worker that reports them; else null */
  take(id: StepId, parameters: Float32Array | null): ReplicaBlockHashes;
}
