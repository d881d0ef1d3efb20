import { createRequire } from "node:module";
import { RingstrasseError } from "../../../shared/failure.js";
import { nativeThreads, prepareNativeEnvironment } from "../../config/native-environment.js";

/** Where a native engine lies. */
export interface NativeLocation {
  /** The engine's name, `tensorflow` or `tensorflow-gpu`. */
  readonly name: "tensorflow" | "tensorflow-gpu";
  /** Node-API module; finds its libraries by itself. */
  readonly bindingPath: string;
  readonly libraryDirectory: string;
}

/** A tensor that the library holds. */
export type TensorId = number;

/**
 * What is used of the Node-API module of @tensorflow/tfjs-node: TensorFlow's C interface, without tfjs around it. All calls are
 * synchronous, on the main thread. Whoever gets a tensor deletes it.
 */
export interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  /** Doesn't copy `values` if they are aligned to 64 bytes: leave them alone while the tensor lives. */
  createTensor(shape: readonly number[], type: number, values: Float32Array | Int32Array): TensorId;
  deleteTensor(id: TensorId): void;
  /** A copy. */
  tensorDataSync(id: TensorId): Float32Array | Int32Array;
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(
    session: number,
    inputs: readonly TensorId[],
    inputNames: string,
    outputNames: string,
  ): { id: TensorId }[];
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
}

const FUNCTIONS = [
  "createTensor",
  "deleteTensor",
  "tensorDataSync",
  "loadSavedModel",
  "deleteSavedModel",
  "runSavedModel",
  "isUsingGpuDevice",
  "getNumOfTensors",
] as const satisfies readonly (keyof NativeBinding)[];

/**
 * Loads a native engine's library into this process, some hundred megabytes, once: later calls give the same.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when it can't be loaded, is another version's, or runs with other threads already.
 */
export function loadNativeBinding(location: NativeLocation, threads: number): NativeBinding {
  const { name, bindingPath } = location;
  const load = createRequire(import.meta.url);
  const isLoaded = load.cache[resolved(load, bindingPath)] !== undefined;
  if (isLoaded && nativeThreads() !== threads) {
    throw unavailable(
      location,
      `this process computes with ${nativeThreads()} threads already, the job asks for ${threads}: TensorFlow can't change that`,
      "Start the worker anew, or give all jobs of a service the same --threads",
    );
  }
  if (!isLoaded) prepareNativeEnvironment(name, threads);
  let loaded: unknown;
  try {
    loaded = load(bindingPath);
  } catch (cause) {
    const what = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw unavailable(location, `${bindingPath} can't be loaded: ${what}`, reinstall(name), cause);
  }
  if (isNativeBinding(loaded)) return withDevice(loaded, location);
  throw unavailable(location, `${bindingPath} is not the binding of tfjs-node 4.22`, reinstall(name));
}

/** The name under which Node keeps a module: where its links lead. As it is, if nothing is there: loading it tells. */
function resolved(load: NodeJS.Require, path: string): string {
  try {
    return load.resolve(path);
  } catch {
    return path;
  }
}

/** The library for GPUs computes on the processor where it finds none: nobody asked for that. */
function withDevice(binding: NativeBinding, location: NativeLocation): NativeBinding {
  if (location.name !== "tensorflow-gpu" || binding.isUsingGpuDevice()) return binding;
  const remedy = "Check the driver with nvidia-smi, and CUDA_VISIBLE_DEVICES; or use --engine tensorflow";
  throw unavailable(location, "the library finds no GPU that it can use", remedy);
}

function isNativeBinding(loaded: unknown): loaded is NativeBinding {
  if (typeof loaded !== "object" || loaded === null) return false;
  // Its properties are not enumerable.
  const has = (name: string, type: string): boolean => typeof Reflect.get(loaded, name) === type;
  return FUNCTIONS.every((name) => has(name, "function")) && has("TF_FLOAT", "number") && has("TF_INT32", "number");
}

function reinstall(name: NativeLocation["name"]): string {
  return `Run: ringstrasse engine install ${name === "tensorflow" ? "cpu" : "gpu"} --force`;
}

export function unavailable(
  { name }: Pick<NativeLocation, "name">,
  problem: string,
  remedy: string,
  cause?: unknown,
): RingstrasseError {
  return new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine: name, problem, remedy }, { cause });
}
