import { join } from "node:path";
import { stepsPerEpoch } from "../../shared/epoch-plan.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { EpochEvent, FinishedEvent, ResumedEvent, TrainEvent } from "../../shared/train-events.js";
import type { SavedCheckpoint } from "../checkpoint/saved-checkpoint.js";
import type { GroupResult } from "../group/job-group.js";
import { JobEvents } from "./job-events.js";
import { RunRecorder } from "./run-recorder.js";
import type { TrainingRun } from "./training-run.js";
import { writeTrainedModel } from "./write-trained-model.js";

/** Trains and tells `events` what happens. */
export type Trainer = (events: JobEvents) => Promise<GroupResult>;

export interface KeptRun {
  readonly finished: FinishedEvent;
  /** All trainable tensors, then the running statistics; each in layer order, without padding, little-endian float32. */
  readonly weights: Uint8Array;
}

/**
 * Frame of every run, wherever it trains: says that it begins, keeps its records in the output directory while `train` goes on, and
 * then its model and result. `emit` hears all events but the last, which is returned or thrown.
 * @throws RingstrasseError with the first failure.
 */
export async function keepRun(run: TrainingRun, emit: (event: TrainEvent) => void, train: Trainer): Promise<KeptRun> {
  const { spec, policy } = run;
  const { resumed } = run;
  // Time goes on from where the run before had come to.
  const startedAt = performance.now() - (resumed?.description.elapsedMs ?? 0);
  await using recorder = await RunRecorder.open(run);
  emit({
    event: "started",
    jobId: spec.jobId,
    epochs: spec.epochs,
    stepsPerEpoch: stepsPerEpoch(spec.dataset.train.rowCount, spec.batchSize),
    trainRows: spec.dataset.train.rowCount,
    testRows: spec.dataset.test?.rowCount ?? 0,
    workers: policy.workers,
    replicas: spec.replicas,
    configuration: run.configuration,
  });
  if (resumed !== null) emit(resumedEvent(resumed, run.resumedFile ?? resumed.path));
  const history = resumed?.description.history ?? [];
  const events = new JobEvents({ spec, startedAt, recorder, emit, history });
  const result = await train(events);
  const last = events.lastEpoch;
  if (last === null)
    throw new RingstrasseError({ code: "INTERNAL", problem: "the workers finished without reporting an epoch" });
  await recorder.flush();
  await writeTrainedModel(run, result.weights);
  const finished = finishedEvent(run, result, last, performance.now() - startedAt);
  await recorder.finish(finished, result.weights);
  return { finished, weights: result.weights };
}

function resumedEvent({ description }: SavedCheckpoint, file: string): ResumedEvent {
  const { position, stateSha256 } = description;
  return { event: "resumed", epoch: position.epoch, step: position.step, file, stateSha256 };
}

function finishedEvent(run: TrainingRun, result: GroupResult, last: EpochEvent, wallMs: number): FinishedEvent {
  const { spec, policy } = run;
  return {
    event: "finished",
    jobId: spec.jobId,
    status: "FINISHED",
    engine: result.engine.name,
    collective: result.collective,
    ordered: result.ordered,
    workers: policy.workers,
    replicas: spec.replicas,
    threads: spec.threads,
    epochs: result.epochs,
    steps: result.steps,
    trainLoss: last.trainLoss,
    trainAccuracy: last.trainAccuracy,
    testLoss: last.testLoss,
    testAccuracy: last.testAccuracy,
    samplesPerSecond: last.samplesPerSecond,
    communicationFraction: last.communicationFraction,
    wallMs,
    weightsSha256: result.weightsSha256,
    stateSha256: result.stateSha256,
    modelDir: join(run.shownOut, "model"),
  };
}
