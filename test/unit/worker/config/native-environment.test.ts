import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  gpuArithmetic,
  nativeThreads,
  prepareNativeEnvironment,
} from "../../../../worker/config/native-environment.js";

const NAMES = [
  "TF_NUM_INTRAOP_THREADS",
  "TF_NUM_INTEROP_THREADS",
  "TF_FORCE_GPU_ALLOW_GROWTH",
  "TF_CPP_MIN_LOG_LEVEL",
  "TF_DETERMINISTIC_OPS",
  "NVIDIA_TF32_OVERRIDE",
];

/** Of this process, which is what is prepared. */
let before: (readonly [string, string | undefined])[] = [];
beforeEach(() => {
  before = NAMES.map((name) => [name, process.env[name]]);
  for (const name of NAMES) delete process.env[name];
});
afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

describe("prepareNativeEnvironment", () => {
  it("asks GPUs for the same bits each time, in float32", () => {
    prepareNativeEnvironment("tensorflow-gpu", 2);
    expect(process.env).toMatchObject({ TF_DETERMINISTIC_OPS: "1", NVIDIA_TF32_OVERRIDE: "0" });
    expect(gpuArithmetic()).toEqual({ isRepeatable: true, usesTf32: false });
    expect(nativeThreads()).toBe(2);
  });

  it("leaves what the user has said", () => {
    Object.assign(process.env, { TF_DETERMINISTIC_OPS: "0", NVIDIA_TF32_OVERRIDE: "1" });
    prepareNativeEnvironment("tensorflow-gpu", 1);
    expect(gpuArithmetic()).toEqual({ isRepeatable: false, usesTf32: true });
  });

  it("lets the calling thread run graphs that have one thread, and no GPU", () => {
    const threadsOf = (engine: "tensorflow" | "tensorflow-gpu", threads: number) => {
      prepareNativeEnvironment(engine, threads);
      return process.env["TF_NUM_INTEROP_THREADS"];
    };
    expect(threadsOf("tensorflow", 1)).toBe("-1");
    expect(threadsOf("tensorflow", 2)).toBe("1");
    expect(threadsOf("tensorflow-gpu", 1)).toBe("1");
  });

  it("says nothing of GPUs to the engine for processors", () => {
    prepareNativeEnvironment("tensorflow", 1);
    expect(process.env["TF_DETERMINISTIC_OPS"]).toBeUndefined();
    expect(process.env["NVIDIA_TF32_OVERRIDE"]).toBeUndefined();
    expect(nativeThreads()).toBe(1);
  });
});
