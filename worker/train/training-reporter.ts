import type { Generation, JobId } from "../../shared/ids.js";
import type { EpochReport, StepReport, WorkerBody } from "../../shared/protocol/control-message.js";
import type { EpochProgress } from "../../shared/training-position.js";
import type { Boundary } from "./checkpoint-clock.js";
import type { Checkpointer } from "./checkpointer.js";
import { ReportQueue } from "./report-queue.js";
import { packWeights, StateHash, weightsSha256 } from "./state-hash.js";
import { meansOf } from "./step-scalars.js";
import { epochBlockHashes } from "./step-tracer.js";
import type { TrainingEnd, TrainingObserver } from "./train-job.js";
import type { StepId, TrainedStep } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** Weights travel in pieces of so many bytes: each is a sign of life while heartbeats wait behind them, so on a slow link they must be small. */
const WEIGHTS_PIECE_BYTES = 256 * 1024;

export interface JobReference {
  readonly jobId: JobId;
  readonly generation: Generation;
}

export interface ReporterParts {
  /** Null: another rank takes the checkpoints. */
  readonly checkpointer: Checkpointer | null;
}

type Send = (body: WorkerBody) => void;

/** Turns what training does into messages to the coordinator. Rank 0 reports what is the same on all. */
export class TrainingReporter implements TrainingObserver {
  readonly #context: TrainingContext;
  readonly #job: JobReference;
  readonly #send: Send;
  readonly #checkpointer: Checkpointer | null;
  readonly #queue: ReportQueue;

  constructor(context: TrainingContext, job: JobReference, send: Send, also: ReporterParts) {
    this.#context = context;
    this.#job = job;
    this.#send = send;
    this.#checkpointer = also.checkpointer;
    this.#queue = new ReportQueue(job, send);
  }

  /** The initial parameters, as epoch 0: the first thing in which two runs can differ. */
  begin(): void {
    if (this.#context.rank === 0) this.#sendEpochHashes({ epoch: 0, step: 0 });
  }

  onSteps(steps: readonly TrainedStep[]): void {
    this.#queue.add(steps.map((step) => this.#reportOf(step)));
    for (const { outcome } of steps) {
      if (outcome.hashes !== null)
        this.#send({ kind: "blockHashes", ...this.#job, epochHashes: null, stepHashes: outcome.hashes });
    }
  }

  onPause(): void {
    this.#queue.flush();
  }

  onEpoch(report: EpochReport): void {
    this.#queue.flush();
    if (this.#context.rank !== 0) return;
    this.#sendEpochHashes({ epoch: report.epoch, step: report.steps });
    this.#send({ kind: "epoch", ...this.#job, report });
  }

  wantsCheckpoint(end: Boundary): boolean {
    return this.#checkpointer?.wants(end) ?? false;
  }

  async onBoundary(id: StepId, progress: (() => EpochProgress) | null): Promise<void> {
    const { replicaStates } = this.#context;
    if (replicaStates === null) {
      if (this.wantsCheckpoint({ ...id, endsEpoch: progress === null }))
        await this.#checkpointer?.take(id, progress?.() ?? null);
    } else if (replicaStates.isCheckpointAgreed) {
      // The coordinator keeps it once all have told the step: that must not wait for the next round.
      this.#queue.flush();
      // Only rank 0 takes one, and all help.
      if (this.#checkpointer === null) await replicaStates.gather(this.#context, null);
      else await this.#checkpointer.take(id, progress?.() ?? null);
    }
  }

  #reportOf({ id, outcome }: TrainedStep): StepReport {
    const { spec, localReplicas } = this.#context;
    const means = meansOf(outcome.totals, spec.model.targets.kind);
    return {
      ...id,
      // An asynchronous step's figures are this worker's, which may have had no rows in it.
      loss: outcome.totals.count === 0 ? 0 : means.loss,
      accuracy: outcome.totals.count === 0 && means.accuracy !== null ? 0 : means.accuracy,
      totalRows: outcome.totals.count,
      ...outcome.update,
      replicas: [...localReplicas],
      rows: outcome.localRows,
      computeMs: outcome.elapsedMs - outcome.communicationMs,
      communicationMs: outcome.communicationMs,
      sentBytes: outcome.sentBytes,
      receivedBytes: outcome.receivedBytes,
      ...outcome.delay,
    };
  }

  #sendEpochHashes(id: StepId): void {
    const { arenas, gate } = this.#context;
    const epochHashes = epochBlockHashes(arenas, gate.current, id);
    this.#send({ kind: "blockHashes", ...this.#job, epochHashes, stepHashes: null });
  }
}

/** The result: hashes from every rank, so that the coordinator can compare them, and the weights from rank 0. */
export async function reportOutcome(
  context: TrainingContext,
  job: JobReference,
  end: TrainingEnd,
  send: Send,
): Promise<void> {
  const { arenas, gate, lossScaler, replicaStates } = context;
  if (context.rank === 0) {
    const weights = packWeights(arenas, gate.current);
    // Copies of the pieces: posting a view to the other thread would clone the whole buffer behind it each time.
    for (let offsetBytes = 0; offsetBytes < weights.byteLength; offsetBytes += WEIGHTS_PIECE_BYTES) {
      const bytes = weights.slice(offsetBytes, offsetBytes + WEIGHTS_PIECE_BYTES);
      send({ kind: "weights", ...job, offsetBytes, totalBytes: weights.byteLength, bytes });
    }
  }
  const state = new StateHash(arenas, gate.current, lossScaler?.state);
  await replicaStates?.gather(context, (tensor) => state.add(tensor));
  send({
    kind: "finished",
    ...job,
    epochs: end.epochs,
    steps: end.steps,
    weightsSha256: weightsSha256(arenas, gate.current),
    stateSha256: state.digest(),
  });
}
