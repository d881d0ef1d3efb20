import process from "node:process";

/**
 * Tells TensorFlow's library, which reads the environment when it is loaded and never again, how to run in this process: threads of one
 * operation, one operation at a time, GPU memory as it is needed, and no chatter on stderr unless the user asked for it. Must be called
 * before the library is loaded, on the main thread (other threads have an environment of their own).
 */
export function prepareNativeEnvironment(threads: number): void {
  const { env } = process;
  env["TF_NUM_INTRAOP_THREADS"] = String(threads);
  env["TF_NUM_INTEROP_THREADS"] = "1";
  env["TF_FORCE_GPU_ALLOW_GROWTH"] ??= "true";
  env["TF_CPP_MIN_LOG_LEVEL"] ??= "3";
}

/** What {@link prepareNativeEnvironment} said, to a library that is loaded. */
export function nativeThreads(): number {
  return Number(process.env["TF_NUM_INTRAOP_THREADS"]);
}
