import { describe, expect, it } from "vitest";
import { describeConfiguration } from "../../../../coordinator/cli/describe-configuration.js";
import { startedEvent } from "../../../support/train-events.js";

const configuration = {
  inputs: 4,
  layers: ["Hidden1 3 tanh", "Output1 3 softmax"],
  loss: "softmaxCrossEntropy",
  data: "iris.csv",
  optimizer: { kind: "momentum", learningRate: 0.1, momentum: 0.9 },
  epochs: 3,
  batchSize: 97,
  seed: 6,
  workers: 2,
  replicas: 4,
  engine: "wasm",
  collective: "ring",
  transport: "ipc",
  sources: { epochs: "document", batchSize: "default", seed: "document", workers: "flag", replicas: "environment" },
};

describe("describeConfiguration", () => {
  it("tells what runs, where each setting came from, and what the replicas mean for the bits", () => {
    expect(describeConfiguration(startedEvent({ configuration }))).toEqual([
      "network: 4 inputs, Hidden1 3 tanh, Output1 3 softmax; loss softmaxCrossEntropy",
      "data: iris.csv, 97 training and 53 test rows",
      "settings: epochs 3 (document), batch size 97 (default), seed 6 (document), momentum learningRate 0.1 momentum 0.9",
      "runs on: workers 2 (flag), replicas 4 (environment); engine wasm; ring over ipc",
      "the result's bits belong to 4 replicas: they are the same on 1 to 4 workers with --replicas 4",
    ]);
  });

  it("says that one worker exchanges nothing", () => {
    const [, , , where] = describeConfiguration(startedEvent({ configuration, workers: 1 }));
    expect(where).toContain("no exchange: one worker");
  });
});
