import { describe, expect, it } from "vitest";
import type { Failure } from "../../../shared/failure.js";
import {
  encodeTrainEvent,
  FinishedEventSchema,
  failedEvent,
  type TrainEvent,
  TrainEventSchema,
} from "../../../shared/train-events.js";
import { epochEvent, finishedEvent, startedEvent, stepEvent } from "../../support/train-events.js";

describe("train events", () => {
  it.each<TrainEvent>([
    startedEvent(),
    {
      event: "generation",
      generation: 1,
      workers: [{ rank: 0, host: "here", pid: 7, replicas: [0] }],
      reason: "all are here",
    },
    stepEvent(1, 1),
    epochEvent(1),
    { event: "warning", message: "a line\nwith an end" },
    finishedEvent(),
  ])("$event: one line that reads back as it was", (event) => {
    const line = encodeTrainEvent(event);
    expect(line).not.toContain("\n");
    expect(TrainEventSchema.parse(JSON.parse(line))).toEqual(event);
  });

  it("keeps the fields of the last line, which other programs read", () => {
    expect(Object.keys(FinishedEventSchema.shape)).toEqual(
      (
        "event jobId status engine collective ordered workers replicas threads epochs steps trainLoss trainAccuracy testLoss " +
        "testAccuracy samplesPerSecond communicationFraction wallMs weightsSha256 stateSha256 modelDir"
      ).split(" "),
    );
    expect(TrainEventSchema.safeParse({ ...finishedEvent(), extra: 1 }).success).toBe(false);
    expect(TrainEventSchema.safeParse({ ...finishedEvent(), weightsSha256: "ABC" }).success).toBe(false);
  });

  it("names the worker in the last line of a failed job", () => {
    const failure: Failure = {
      code: "WORKER_DIED",
      rank: 1,
      host: "node7",
      pid: 4711,
      replicas: [2, 3],
      step: 12,
      how: "killed by SIGKILL",
      lastWords: null,
    };
    const event = failedEvent(failure);
    expect(event).toEqual({
      event: "failed",
      status: "ERROR",
      code: "WORKER_DIED",
      message: "worker rank 1 (node7, pid 4711, replicas 2 3) in step 12 died (killed by SIGKILL)",
      rank: 1,
      host: "node7",
    });
    expect(TrainEventSchema.parse(JSON.parse(encodeTrainEvent(event)))).toEqual(event);
  });

  it("leaves the worker open where there is none to name", () => {
    const event = failedEvent({ code: "USAGE", option: "--workers", problem: "it is 0", remedy: "Give at least 1" });
    expect(event).toMatchObject({
      code: "USAGE",
      message: "--workers: it is 0. Give at least 1",
      rank: null,
      host: null,
    });
  });
});
