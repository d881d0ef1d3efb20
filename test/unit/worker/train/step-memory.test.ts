import { describe, expect, it } from "vitest";
import type { JobSpec } from "../../../../shared/job-spec.js";
import { PLAIN_STEP } from "../../../../shared/step-rules.js";
import { readAheadOf } from "../../../../worker/data/read-ahead.js";
import {
  checkStepMemory,
  evaluationRows,
  namedMemoryFailure,
  stepSizeBytes,
} from "../../../../worker/train/step-memory.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const GB = 1e9;

/** Only what the check looks at. */
function spec(engine: JobSpec["engine"], changes: Partial<JobSpec> = {}): JobSpec {
  return {
    engine,
    replicas: 4,
    batchSize: 1_000_000,
    dataset: { train: { rowCount: 400_000, features: 20, featureType: "float32", targets: 1 }, test: null },
    stepRules: PLAIN_STEP,
    model: {
      inputs: 20,
      layers: [
        { kind: "dense", name: "a", units: 14_990, activation: "relu", initialBias: 0 },
        { kind: "dropout", name: "b", rate: 0.5 },
      ],
    },
    ...changes,
  } as unknown as JobSpec;
}

describe("checkStepMemory", () => {
  it("counts the rows of the longest slice, their features and what layers keep", () => {
    // 400,000 rows are all there are; 100,000 of them in a slice; 20 floats of features, twice 14,990 of the layer.
    expect(stepSizeBytes(spec("tensorflow"))).toBe(12 * GB);
    expect(stepSizeBytes(spec("tensorflow", { batchSize: 10 }))).toBe(3 * 30_000 * 4);
  });

  it("falls with the number of micro-batches", () => {
    const stepRules = { ...PLAIN_STEP, accumulate: 4 };
    expect(stepSizeBytes(spec("tensorflow", { stepRules }))).toBe(3 * GB);
  });

  it("counts the batches read ahead of a file that is not loaded, and reads none ahead where they are large", () => {
    const layer = { kind: "dense", name: "a", units: 10, activation: "softmax", initialBias: 0 };
    const images = (batchSize: number) =>
      spec("wasm", {
        replicas: 1,
        batchSize,
        dataset: { train: { rowCount: 50_000, features: 3072, featureType: "uint8", targets: 1 }, test: null },
        model: { inputs: 3072, layers: [layer] },
      } as unknown as Partial<JobSpec>);
    expect(stepSizeBytes(images(100))).toBe(100 * 4 * (3072 + 20) + 2 * 100 * 4 * 3073);
    expect(readAheadOf(images(100).dataset.train, 100)).toBe(2);
    // 614 MB that a step needs anyway, and not twice as much again.
    expect(stepSizeBytes(images(50_000))).toBe(50_000 * 4 * (3072 + 20));
    expect(readAheadOf(images(50_000).dataset.train, 50_000)).toBe(0);
  });

  it("refuses what can't fit, with figures and what to change", async () => {
    expect(() => checkStepMemory(spec("tensorflow"), 12 * GB, 1)).not.toThrow();
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", () =>
      checkStepMemory(spec("tensorflow"), 23.8 * GB, 2),
    );
    expect(failure).toMatchObject({ engine: "tensorflow" });
    expect(failure.problem).toMatch(
      /^a step of 100000 rows needs 12\.0 GB or more, and 23\.8 GB are free on \S+ for 2 workers$/,
    );
    expect(failure.remedy).toMatch(/smaller --batch-size, or more --replicas/);
  });

  it("wasm has 4 GiB, whatever is free", async () => {
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", () => checkStepMemory(spec("wasm"), 100 * GB, 1));
    expect(failure.problem).toMatch(/WebAssembly has room for 4\.29 GB$/);
    expect(() => checkStepMemory(spec("wasm", { replicas: 12 }), 100 * GB, 1)).not.toThrow();
  });
});

describe("evaluationRows", () => {
  const heldOut = (rowCount: number, model: object): JobSpec =>
    spec("wasm", {
      batchSize: 4,
      dataset: { train: { rowCount: 4, features: 20, featureType: "float32", targets: 1 }, test: { rowCount } },
      model,
    } as unknown as Partial<JobSpec>);
  const iris = { inputs: 4, layers: [{ kind: "dense", name: "a", units: 3, activation: "softmax", initialBias: 0 }] };

  it("is all of a small network's test rows, up to 1024", () => {
    expect(evaluationRows(heldOut(30, iris))).toBe(30);
    expect(evaluationRows(heldOut(5000, iris))).toBe(1024);
    expect(evaluationRows(spec("wasm"))).toBe(0);
  });

  it("is checked too, where it needs more than a step", async () => {
    const wide = spec("wasm").model;
    // 1024 rows: 20 inputs, twice 14,990 of the dense layer, once of the dropout.
    expect(() => checkStepMemory(heldOut(5000, wide), 185e6, 1)).not.toThrow();
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", () => checkStepMemory(heldOut(5000, wide), 180e6, 1));
    expect(failure.problem).toMatch(
      /^evaluating 1024 test rows at once needs 0\.184 GB or more, and 0\.180 GB are free/,
    );
    expect(failure.remedy).toMatch(/--test-split 0/);
  });
});

describe("namedMemoryFailure", () => {
  it("names what runtimes say when memory is out, and leaves the rest alone", () => {
    for (const message of [
      "Array buffer allocation failed",
      "Invalid array buffer length",
      "Invalid typed array length: 2000000000",
      "Aborted(OOM)",
      "WebAssembly.Memory.grow(): out of memory",
    ]) {
      const cause = new RangeError(message);
      const named = namedMemoryFailure(cause, spec("wasm"));
      expect(named).toMatchObject({ failure: { code: "ENGINE_UNAVAILABLE", engine: "wasm" }, cause });
    }
    const other = new RangeError("Invalid array length");
    expect(namedMemoryFailure(other, spec("wasm"))).toBe(other);
    expect(namedMemoryFailure("out of memory", spec("wasm"))).toBe("out of memory");
  });
});
