import type { JobId } from "../../shared/ids.js";
import type { EpochEvent, FinishedEvent, StartedEvent, StepEvent } from "../../shared/train-events.js";

export function startedEvent(changes: Partial<StartedEvent> = {}): StartedEvent {
  return {
    event: "started",
    jobId: "iris-1" as JobId,
    epochs: 3,
    stepsPerEpoch: 2,
    trainRows: 97,
    testRows: 53,
    workers: 2,
    replicas: 4,
    configuration: { seed: 6 },
    ...changes,
  };
}

export function stepEvent(epoch: number, step: number): StepEvent {
  const worker = {
    rank: 0,
    replicas: [0, 1],
    rows: 30,
    computeMs: 1.5,
    communicationMs: 0.5,
    sentBytes: 128,
    receivedBytes: 128,
  };
  const workers = [worker, { ...worker, rank: 1, replicas: [2, 3] }];
  return { event: "step", epoch, step, loss: 1 / step, accuracy: 0.5, rows: 60, workers };
}

export function epochEvent(epoch: number, changes: Partial<EpochEvent> = {}): EpochEvent {
  return {
    event: "epoch",
    epoch,
    epochs: 3,
    steps: epoch * 2,
    trainLoss: 1 / epoch,
    trainAccuracy: 0.75,
    trainMeanAbsoluteError: null,
    testLoss: 0.625,
    testAccuracy: 0.5,
    testMeanAbsoluteError: null,
    samplesPerSecond: 12345.6,
    communicationFraction: 0.125,
    elapsedMs: epoch * 1000,
    ...changes,
  };
}

export function finishedEvent(changes: Partial<FinishedEvent> = {}): FinishedEvent {
  return {
    event: "finished",
    jobId: "iris-1" as JobId,
    status: "FINISHED",
    engine: "wasm",
    collective: "ring",
    ordered: true,
    workers: 2,
    replicas: 4,
    threads: 1,
    epochs: 3,
    steps: 6,
    trainLoss: 0.25,
    trainAccuracy: 0.96,
    testLoss: 0.3,
    testAccuracy: 0.9434,
    samplesPerSecond: 12345.6,
    communicationFraction: 0.125,
    wallMs: 83_000,
    weightsSha256: "a".repeat(64),
    stateSha256: "b".repeat(64),
    modelDir: "/tmp/runs/iris/model",
    ...changes,
  };
}
