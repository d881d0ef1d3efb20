import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFailure } from "../../../shared/write-failure.js";
import { SAVED_MODEL_FILE, SAVED_MODEL_TAG } from "../graph/encode-saved-model.js";
import type { GraphTensor } from "../graph/graph-node.js";
import { type NativeBinding, type NativeLocation, type TensorId, unavailable } from "./native-binding.js";

/** What is fed to a graph and fetched from it, prepared once. */
export interface Program {
  readonly inputNames: string;
  readonly outputNames: string;
}

export function programOf(feeds: readonly GraphTensor[], fetches: readonly GraphTensor[]): Program {
  // Every tensor that is fed or fetched is the first output of its node.
  const names = (tensors: readonly GraphTensor[]) => tensors.map(({ name }) => `${name}:0`).join(",");
  return { inputNames: names(feeds), outputNames: names(fetches) };
}

/** A graph in TensorFlow's hands. One call at a time; synchronous. */
export class NativeSession implements Disposable {
  readonly binding: NativeBinding;
  readonly #location: NativeLocation;
  readonly #session: number;

  private constructor(binding: NativeBinding, location: NativeLocation, session: number) {
    this.binding = binding;
    this.#location = location;
    this.#session = session;
  }

  /**
   * The library reads graphs from a directory only: each gets a fresh one (the library remembers directories), which is removed at once.
   * @param savedModel bytes of a `saved_model.pb`
   * @throws RingstrasseError ENGINE_UNAVAILABLE when the library refuses the graph, OUTPUT_UNWRITABLE without room for it.
   */
  static async open(binding: NativeBinding, location: NativeLocation, savedModel: Uint8Array): Promise<NativeSession> {
    const directory = await writeModel(savedModel);
    try {
      return new NativeSession(binding, location, binding.loadSavedModel(directory, SAVED_MODEL_TAG));
    } catch (cause) {
      const problem = `TensorFlow ${binding.TF_Version} refuses the step graph: ${messageOf(cause)}`;
      throw unavailable(location, problem, "Report this, and use --engine wasm meanwhile", cause);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /**
   * Runs the graph. `inputs` in the order of the program's feeds; the results are the caller's to delete.
   * @throws RingstrasseError ENGINE_UNAVAILABLE when memory is out or the library fails otherwise.
   */
  run({ inputNames, outputNames }: Program, inputs: readonly TensorId[]): TensorId[] {
    try {
      return this.binding.runSavedModel(this.#session, inputs, inputNames, outputNames).map(({ id }) => id);
    } catch (cause) {
      const message = messageOf(cause);
      if (/OOM|[Rr]esource exhausted|RESOURCE_EXHAUSTED|[Oo]ut of memory/.test(message)) {
        const remedy = "Use a smaller batch or more replicas, so that each computes fewer rows, or a smaller model";
        throw unavailable(this.#location, `no memory is left for a step: ${message}`, remedy, cause);
      }
      throw unavailable(
        this.#location,
        `a step failed: ${message}`,
        "Report this, and use --engine wasm meanwhile",
        cause,
      );
    }
  }

  /** Copies a result out and deletes it. */
  take(id: TensorId): Float32Array | Int32Array {
    try {
      return this.binding.tensorDataSync(id);
    } finally {
      this.binding.deleteTensor(id);
    }
  }

  [Symbol.dispose](): void {
    this.binding.deleteSavedModel(this.#session);
  }
}

async function writeModel(savedModel: Uint8Array): Promise<string> {
  const parent = tmpdir();
  try {
    const directory = await mkdtemp(join(parent, "ringstrasse-graph-"));
    await writeFile(join(directory, SAVED_MODEL_FILE), savedModel);
    return directory;
  } catch (cause) {
    throw writeFailure(parent, cause);
  }
}

function messageOf(cause: unknown): string {
  const [line] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
  return (line ?? "").replace(/^Session fail to run with error: /, "");
}
