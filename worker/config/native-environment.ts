import process from "node:process";
import type { EnvironmentVariables } from "../../shared/engine-store/engine-directory.js";

/** How a GPU computes. */
export interface GpuArithmetic {
  /** The same bits each time, by operations that are slower for some networks. */
  readonly isRepeatable: boolean;
  /** Products of numbers rounded to TF32's 10 bits: several times as fast from NVIDIA's Ampere on. */
  readonly usesTf32: boolean;
}

/**
 * Tells TensorFlow's library, which reads the environment when it is loaded and never again, how to run in this process: threads of one
 * operation, one operation at a time, GPU memory as it is needed, and no chatter on stderr unless the user asked for it. On GPUs also: operations
 * that give the same bits each time, and products in float32, unless the user has said otherwise by the library's own variables. Must be called
 * before the library is loaded, on the main thread (other threads have an environment of their own).
 */
export function prepareNativeEnvironment(engine: "tensorflow" | "tensorflow-gpu", threads: number): void {
  const { env } = process;
  env["TF_NUM_INTRAOP_THREADS"] = String(threads);
  // Negative: the graph runs on the thread that calls, instead of one that has to be woken and waited for in every step.
  env["TF_NUM_INTEROP_THREADS"] = engine === "tensorflow" && threads === 1 ? "-1" : "1";
  env["TF_FORCE_GPU_ALLOW_GROWTH"] ??= "true";
  env["TF_CPP_MIN_LOG_LEVEL"] ??= "3";
  if (engine !== "tensorflow-gpu") return;
  env["TF_DETERMINISTIC_OPS"] ??= "1";
  env["NVIDIA_TF32_OVERRIDE"] ??= "0";
}

/** What {@link prepareNativeEnvironment} said, to a library that is loaded. */
export function nativeThreads(): number {
  return Number(process.env["TF_NUM_INTRAOP_THREADS"]);
}

/** By the variables that the libraries read: TensorFlow takes `1` and `true`, NVIDIA's take every value but `0` as leave to use TF32. */
export function gpuArithmetic(environment: EnvironmentVariables = process.env): GpuArithmetic {
  return {
    isRepeatable: /^(1|true)$/i.test(environment["TF_DETERMINISTIC_OPS"] ?? ""),
    usesTf32: environment["NVIDIA_TF32_OVERRIDE"] !== "0",
  };
}
