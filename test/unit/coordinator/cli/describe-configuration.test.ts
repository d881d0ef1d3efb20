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

  it.each(["ordered", "allreduce"])("promises the same bits only where they are kept: --mpi-mode %s", (mpiMode) => {
    const lines = describeConfiguration(
      startedEvent({ configuration: { ...configuration, collective: "mpi", mpiMode } }),
    ).join("\n");
    expect(/they are the same on 1 to 4 workers/.test(lines)).toBe(mpiMode === "ordered");
    expect(/collective mpi, mode allreduce\n.*depend on the number of workers/.test(lines)).toBe(
      mpiMode === "allreduce",
    );
  });

  it("tells that links are encrypted, where there are any", () => {
    const encrypted = { ...configuration, transport: "tcp", encrypt: true };
    expect(describeConfiguration(startedEvent({ configuration: encrypted }))).toContain(
      "runs on: workers 2 (flag), replicas 4 (environment); engine wasm; ring over tcp, links over tcp encrypted",
    );
    expect(describeConfiguration(startedEvent({ workers: 1, configuration: encrypted }))).toContain(
      "runs on: workers 2 (flag), replicas 4 (environment); engine wasm; no exchange: one worker",
    );
  });

  it("tells how steps are cut, exchanged and applied, where that is not plain", () => {
    const plain = { accumulate: 1, clipNorm: null, schedule: { kind: "constant" }, warmUpSteps: 0, compress: "none" };
    const without = describeConfiguration(startedEvent({ configuration: { ...configuration, ...plain } }));
    expect(without.some((line) => line.startsWith("steps: "))).toBe(false);
    const steps = {
      accumulate: 4,
      clipNorm: 1.5,
      schedule: { kind: "cosine", final: 0.1 },
      warmUpSteps: 20,
      learningRateScaling: { learningRate: 0.1, referenceBatch: 16, batchSize: 64 },
      compress: "fp16",
      lossScale: { kind: "dynamic", first: 1024 },
    };
    const sources = { ...configuration.sources, accumulate: "flag", clipNorm: "document", schedule: "config file" };
    const more = { warmUp: "flag", learningRateScaling: "flag", compress: "environment", lossScale: "default" };
    const told = { ...configuration, ...steps, sources: { ...sources, ...more } };
    expect(describeConfiguration(startedEvent({ configuration: told }))).toContain(
      "steps: 4 micro-batches each (flag), gradients clipped to norm 1.5 (document), schedule cosine final 0.1 (config file), " +
        "warm-up over 20 steps (flag), learning rate 0.1 times 64 / 16, the rows of a step by those it is meant for (flag), " +
        "gradients sent in fp16 (environment), loss scale dynamic first 1024 (default)",
    );
  });

  it("tells how much of the gradients is sent", () => {
    const sources = { ...configuration.sources, compress: "flag" };
    const told = { ...configuration, compress: "topk", topkFraction: 0.01, sources };
    expect(describeConfiguration(startedEvent({ configuration: told }))).toContain(
      "steps: only the largest gradients sent, a share of 0.01 (flag)",
    );
  });

  it("tells how replicas come to common parameters, where it isn't by an exchange in every step", () => {
    const rounds = { strategy: "local-sgd", syncEvery: 8, stepsOfRound: 8, outerLearningRate: 0.7, outerMomentum: 0.9 };
    const sources = { ...configuration.sources, strategy: "flag", syncEvery: "default", outerLearningRate: "document" };
    const line = (more: object) =>
      describeConfiguration(startedEvent({ configuration: { ...configuration, ...rounds, ...more, sources } })).find(
        (each) => each.startsWith("strategy: "),
      );
    expect(line({ copySizeBytes: 3_400_000 })).toBe(
      "strategy: local-sgd (flag), an exchange after 8 steps (default) and after each epoch; " +
        "outer learning rate 0.7 (document); outer momentum 0.9; each replica's own copies take 3.40 MB",
    );
    expect(line({ stepsOfRound: 4, copySizeBytes: 832 })).toMatch(/epoch, which has only 4; .* take 832 bytes$/);
    expect(line({ strategy: "sync", copySizeBytes: 0 })).toBeUndefined();
  });

  it("says that one worker exchanges nothing", () => {
    const [, , , where] = describeConfiguration(startedEvent({ configuration, workers: 1 }));
    expect(where).toContain("no exchange: one worker");
  });
});
