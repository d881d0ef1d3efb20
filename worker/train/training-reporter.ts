import type { Generation, JobId } from "../../shared/ids.js";
import type { EpochReport, WorkerBody } from "../../shared/protocol/control-message.js";
import type { EpochProgress } from "../../shared/training-position.js";
import type { Checkpointer } from "./checkpointer.js";
import { ReportQueue } from "./report-queue.js";
import { packWeights, stateSha256, weightsSha256 } from "./state-hash.js";
import { meansOf } from "./step-scalars.js";
import { epochBlockHashes, type StepTracer } from "./step-tracer.js";
import type { TrainingEnd, TrainingObserver } from "./train-job.js";
import type { StepId, StepOutcome } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** Weights travel in pieces of so many bytes. */
const WEIGHTS_PIECE_BYTES = 1 << 20;

export interface JobReference {
  readonly jobId: JobId;
  readonly generation: Generation;
}

export interface ReporterParts {
  /** Null: steps are not traced. */
  readonly trace: StepTracer | null;
  /** Null: another rank takes the checkpoints. */
  readonly checkpointer: Checkpointer | null;
}

type Send = (body: WorkerBody) => void;

/** Turns what training does into messages to the coordinator. Rank 0 reports what is the same on all. */
export class TrainingReporter implements TrainingObserver {
  readonly #context: TrainingContext;
  readonly #job: JobReference;
  readonly #send: Send;
  readonly #tracer: StepTracer | null;
  readonly #checkpointer: Checkpointer | null;
  readonly #queue: ReportQueue;

  constructor(context: TrainingContext, job: JobReference, send: Send, also: ReporterParts) {
    this.#context = context;
    this.#job = job;
    this.#send = send;
    this.#tracer = also.trace;
    this.#checkpointer = also.checkpointer;
    this.#queue = new ReportQueue(job, send);
  }

  /** The initial parameters, as epoch 0: the first thing in which two runs can differ. */
  begin(): void {
    if (this.#context.rank === 0) this.#sendEpochHashes({ epoch: 0, step: 0 });
  }

  onStep(id: StepId, outcome: StepOutcome): void {
    const { spec, rank, localReplicas, arenas, gate } = this.#context;
    const means = meansOf(outcome.totals, spec.model.targets.kind);
    this.#queue.add({
      ...id,
      loss: means.loss,
      accuracy: means.accuracy,
      totalRows: outcome.totals.count,
      ...outcome.update,
      replicas: [...localReplicas],
      rows: outcome.localRows,
      computeMs: outcome.elapsedMs - outcome.communicationMs,
      communicationMs: outcome.communicationMs,
      sentBytes: outcome.sentBytes,
      receivedBytes: outcome.receivedBytes,
    });
    if (this.#tracer === null) return;
    const parameters = rank === 0 ? arenas.parameters[gate.current].values : null;
    const stepHashes = this.#tracer.take(id, parameters);
    this.#send({ kind: "blockHashes", ...this.#job, epochHashes: null, stepHashes });
  }

  onEpoch(report: EpochReport): void {
    this.#queue.flush();
    if (this.#context.rank !== 0) return;
    this.#sendEpochHashes({ epoch: report.epoch, step: report.steps });
    this.#send({ kind: "epoch", ...this.#job, report });
  }

  onBoundary(id: StepId, progress: (() => EpochProgress) | null): void {
    this.#checkpointer?.atBoundary(id, progress);
  }

  #sendEpochHashes(id: StepId): void {
    const { arenas, gate } = this.#context;
    const epochHashes = epochBlockHashes(arenas, gate.current, id);
    this.#send({ kind: "blockHashes", ...this.#job, epochHashes, stepHashes: null });
  }
}

/** The result: hashes from every rank, so that the coordinator can compare them, and the weights from rank 0. */
export function reportOutcome(context: TrainingContext, job: JobReference, end: TrainingEnd, send: Send): void {
  const { arenas, gate, lossScaler } = context;
  if (context.rank === 0) {
    const weights = packWeights(arenas, gate.current);
    // Copies of the pieces: posting a view to the other thread would clone the whole buffer behind it each time.
    for (let offsetBytes = 0; offsetBytes < weights.byteLength; offsetBytes += WEIGHTS_PIECE_BYTES) {
      const bytes = weights.slice(offsetBytes, offsetBytes + WEIGHTS_PIECE_BYTES);
      send({ kind: "weights", ...job, offsetBytes, totalBytes: weights.byteLength, bytes });
    }
  }
  send({
    kind: "finished",
    ...job,
    epochs: end.epochs,
    steps: end.steps,
    weightsSha256: weightsSha256(arenas, gate.current),
    stateSha256: stateSha256(arenas, gate.current, lossScaler?.state),
  });
}
