import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { RingstrasseError } from "../../shared/failure.js";
import type { Kernels } from "./kernels.js";

const KERNEL_NAMES = {
  add: true,
  scaledDifference: true,
  sumOfSquares: true,
  packBf16: true,
  addBf16: true,
  unpackBf16: true,
  packFp16: true,
  addFp16: true,
  unpackFp16: true,
  firstNotFinite: true,
  lookUpBytes: true,
  dropoutMask: true,
  sgd: true,
  momentum: true,
  nesterov: true,
  adam: true,
  rmsprop: true,
  adagrad: true,
} as const satisfies Record<keyof Kernels, true>;

/**
 * Reads and compiles kernels.wasm. The module can be posted to other threads and instantiated there over the same memory.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when the file can't be read or this Node lacks WebAssembly SIMD.
 */
export async function compileKernels(path: string = kernelsPath()): Promise<WebAssembly.Module> {
  let binary: Uint8Array<ArrayBuffer>;
  try {
    binary = new Uint8Array(await readFile(path));
  } catch (cause) {
    throw unavailable(`${path} can't be read`, "Build the project with npm run build", cause);
  }
  try {
    return await WebAssembly.compile(binary);
  } catch (cause) {
    throw unavailable(`${path} can't be compiled`, "Use Node 20.19 or later, with WebAssembly SIMD and threads", cause);
  }
}

/**
 * The kernels over `memory`. Synchronous, so that a thread can do it in its first turn. Any number of instances may share a
 * memory; whoever calls them sees to it that no two write the same floats.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when the module is not this version's kernels.
 */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  if (!areKernels(exports)) {
    const missing = Object.keys(KERNEL_NAMES).filter((name) => typeof exports[name] !== "function");
    throw unavailable(`kernels.wasm lacks ${missing.join(", ")}`, "Build the project again with npm run build");
  }
  return exports;
}

/** Beside this file once built; sources (tests run from them) have the built one under dist. */
function kernelsPath(): string {
  const fromSources = import.meta.url.endsWith(".ts");
  const place = fromSources ? "../../dist/worker/kernels/kernels.wasm" : "./kernels.wasm";
  return fileURLToPath(new URL(place, import.meta.url));
}

function areKernels(exports: object): exports is Kernels {
  const found: Partial<Record<string, unknown>> = { ...exports };
  return Object.keys(KERNEL_NAMES).every((name) => typeof found[name] === "function");
}

function unavailable(problem: string, remedy: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine: "kernels", problem, remedy }, { cause });
}
