import process from "node:process";
import { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { RingstrasseError } from "../../../shared/failure.js";
import type { EngineIdentity } from "../engine.js";

export type KernelName =
  | "_FusedMatMul"
  | "Transpose"
  | "Relu"
  | "Step"
  | "Tanh"
  | "Sigmoid"
  | "Softmax"
  | "Multiply"
  | "Sub"
  | "Add"
  | "Sum"
  | "FusedConv2D"
  | "PadV2"
  | "Slice";

/**
 * tfjs's wasm backend, SIMD, one thread. Its kernels are called directly, without tfjs's engine: no tape, no scopes, no
 * tensor objects, which halves the time of a step of a small network; in return whoever makes a tensor frees it.
 */
export interface TfjsBackend {
  readonly backend: BackendWasm;
  readonly identity: EngineIdentity;
  /** Runs one kernel; the result belongs to the caller. */
  run(name: KernelName, inputs: tf.NamedTensorInfoMap, attrs?: tf.NamedAttrMap): tf.TensorInfo;
}

/**
 * tfjs keeps one backend per thread: opening it again gives the same one.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when tfjs would use anything but its wasm backend with SIMD and one thread.
 */
export async function openTfjsBackend(): Promise<TfjsBackend> {
  // Else tfjs writes warnings to the console.
  tf.enableProdMode();
  // Several threads would change the bits, and tfjs's own threads don't work in Node.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if ((await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) !== true) {
    throw unavailable("this Node has no WebAssembly SIMD", "Use Node 20.19 or later on a 64-bit processor");
  }
  const backend = await startBackend();
  const identity = { name: "wasm", version: `tfjs ${tf.version_core}`, instructionSet: `wasm-simd/${process.arch}` };
  const kernels = new Map<KernelName, tf.KernelFunc>();
  const run: TfjsBackend["run"] = (name, inputs, attrs) => {
    const kernel = kernels.get(name) ?? findKernel(name);
    kernels.set(name, kernel);
    const output = kernel(attrs === undefined ? { inputs, backend } : { inputs, backend, attrs });
    if (Array.isArray(output)) throw new TypeError(`tfjs kernel ${name} gave ${output.length} tensors instead of one`);
    return output;
  };
  return { backend, identity, run };
}

async function startBackend(): Promise<BackendWasm> {
  let started: boolean;
  try {
    started = await withoutNewProcessListeners(() => tf.setBackend("wasm"));
  } catch (cause) {
    throw unavailable("tfjs can't start its wasm backend", "Install the packages again with npm ci", cause);
  }
  // Never trust the return value alone: tfjs falls back to another backend in silence.
  const backend = tf.getBackend() === "wasm" ? tf.backend() : null;
  if (started && backend instanceof BackendWasm) return backend;
  const got = tf.getBackend() || "none";
  throw unavailable(`tfjs started backend ${got} instead of wasm`, "Install the packages again with npm ci");
}

function findKernel(name: KernelName): tf.KernelFunc {
  const kernel = tf.getKernel(name, "wasm");
  if (kernel == null)
    throw unavailable(`tfjs has no kernel ${name} for wasm`, "Install the packages again with npm ci");
  return kernel.kernelFunc;
}

/**
 * The backend's loader hooks into uncaught exceptions and unhandled rejections of the whole process and rethrows them, which
 * would take error reporting out of this program's hands.
 */
async function withoutNewProcessListeners<T>(start: () => Promise<T>): Promise<T> {
  const exceptionListeners = new Set(process.listeners("uncaughtException"));
  const rejectionListeners = new Set(process.listeners("unhandledRejection"));
  try {
    return await start();
  } finally {
    for (const listener of process.listeners("uncaughtException")) {
      if (!exceptionListeners.has(listener)) process.removeListener("uncaughtException", listener);
    }
    for (const listener of process.listeners("unhandledRejection")) {
      if (!rejectionListeners.has(listener)) process.removeListener("unhandledRejection", listener);
    }
  }
}

function unavailable(problem: string, remedy: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine: "wasm", problem, remedy }, { cause });
}
