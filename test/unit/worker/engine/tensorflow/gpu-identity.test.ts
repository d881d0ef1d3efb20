import { describe, expect, it } from "vitest";
import { gpuArithmetic } from "../../../../../worker/config/native-environment.js";
import { gpuIdentity } from "../../../../../worker/engine/tensorflow/gpu-identity.js";

const EXACT = { isRepeatable: true, usesTf32: false };

describe("gpuIdentity", () => {
  it.each([
    [{ ...EXACT, models: ["NVIDIA H200"], device: "3" }, "NVIDIA H200, float32"],
    [{ ...EXACT, models: ["NVIDIA H200"], device: undefined, usesTf32: true }, "NVIDIA H200, TF32"],
    [{ ...EXACT, models: [], device: "0", isRepeatable: false }, "GPU of an unknown kind, float32, not repeatable"],
    [{ ...EXACT, models: ["A100", "H200"], device: "1" }, "A100 or H200, device 1, float32"],
    [{ ...EXACT, models: ["A100", "H200"], device: undefined }, "A100 or H200, device of any number, float32"],
  ])("of %j", (facts, identity) => {
    expect(gpuIdentity(facts)).toBe(identity);
  });
});

describe("gpuArithmetic", () => {
  it.each([
    [{ ["TF_DETERMINISTIC_OPS"]: "1", ["NVIDIA_TF32_OVERRIDE"]: "0" }, EXACT],
    [
      { ["TF_DETERMINISTIC_OPS"]: "true", ["NVIDIA_TF32_OVERRIDE"]: "1" },
      { isRepeatable: true, usesTf32: true },
    ],
    [
      { ["TF_DETERMINISTIC_OPS"]: "0", ["NVIDIA_TF32_OVERRIDE"]: "0" },
      { isRepeatable: false, usesTf32: false },
    ],
    [{}, { isRepeatable: false, usesTf32: true }],
  ])("as the libraries read %j", (environment, arithmetic) => {
    expect(gpuArithmetic(environment)).toEqual(arithmetic);
  });
});
