import { layerWithShapes, widthOf } from "../../shared/layer-shape.js";
import type { ModelSpec } from "../../shared/model-spec.js";
import { generatorKey, RANDOM_PURPOSE } from "../../shared/random/random-stream.js";
import type { Address, Kernels } from "../kernels/kernels.js";
import { compileKernels, instantiateKernels } from "../kernels/load-kernels.js";
import { type MemoryUse, SharedMemory } from "../kernels/shared-memory.js";
import type { StepPosition } from "./engine.js";

/** Random numbers in [0, 1) are multiples of 2⁻²⁴. */
const UNITS = 2 ** 24;
/** The kernel writes whole sixteens. */
const STRIDE_FLOATS = 16;
const MEMORY_USE: MemoryUse = {
  contents: "the masks of a step's dropout layers",
  remedy:
    "Use a larger --accumulate, a smaller --batch-size, or more --replicas, so that fewer rows are computed at once",
};

interface DropoutLayer {
  readonly rate: number;
  /** Inputs of one row. */
  readonly width: number;
  /** Room for as many rows as any micro-batch had. */
  address: Address;
}

/**
 * The factors of the inputs of a model's dropout layers, by a kernel (Srivastava et al., JMLR 2014, in the form that leaves predictions alone). A
 * pure function of seed, position, layer and place: all engines drop the same inputs. They lie in a memory of their own, which has room for the
 * largest micro-batch so far: a worker's memory of arenas is laid out once and gives nothing back, and no engine is told how many rows will come.
 * Belongs to one engine.
 */
export class DropoutMasks {
  readonly #seed: number;
  readonly #layers: ReadonlyMap<number, DropoutLayer>;
  readonly #memory = new SharedMemory(MEMORY_USE);
  readonly #kernels: Kernels;
  /** There is room for. */
  #rows = 0;

  private constructor(seed: number, layers: ReadonlyMap<number, DropoutLayer>, module: WebAssembly.Module) {
    this.#seed = seed;
    this.#layers = layers;
    this.#kernels = instantiateKernels(module, this.#memory.memory);
  }

  /** @returns null when the model drops nothing. @throws RingstrasseError ENGINE_UNAVAILABLE when there are no kernels. */
  static async create(model: ModelSpec, seed: number): Promise<DropoutMasks | null> {
    const layers = new Map<number, DropoutLayer>();
    for (const [index, { layer, input }] of layerWithShapes(model).entries()) {
      if (layer.kind === "dropout") layers.set(index, { rate: layer.rate, width: widthOf(input), address: 0 });
    }
    return layers.size === 0 ? null : new DropoutMasks(seed, layers, await compileKernels());
  }

  /**
   * The factors of a layer's inputs, row by row: 0 with the layer's rate as the probability, else 1 / (1 − rate). They begin at a multiple of 64
   * bytes and stay until the next micro-batch's are asked for; those of one micro-batch are asked for with the same number of rows.
   * @param layer index in the model
   * @throws RangeError when the layer drops nothing
   * @throws RingstrasseError ENGINE_UNAVAILABLE when the masks don't fit into 4 GiB, or the machine has no more memory
   */
  maskOf(layer: number, position: StepPosition, rows: number): Float32Array {
    const of = this.#layers.get(layer);
    if (of === undefined) throw new RangeError(`layer ${layer} drops nothing`);
    if (rows > this.#rows) this.#makeRoom(rows);
    const length = rows * of.width;
    const [key0, key1] = generatorKey({ seed: this.#seed, purpose: RANDOM_PURPOSE.dropout, ...position, layer });
    // n / 2²⁴ < rate, for whole n, is n < ⌈rate · 2²⁴⌉, and float64 holds that product exactly: the kernel compares whole numbers.
    const threshold = Math.ceil(of.rate * UNITS);
    this.#kernels.dropoutMask(of.address, length, key0, key1, threshold, 1 / (1 - of.rate));
    return this.#memory.float32(of.address, length);
  }

  #makeRoom(rows: number): void {
    this.#rows = 0;
    this.#memory.reset();
    for (const layer of this.#layers.values()) {
      const strides = Math.ceil((rows * layer.width) / STRIDE_FLOATS);
      layer.address = this.#memory.allocate(strides * STRIDE_FLOATS * Float32Array.BYTES_PER_ELEMENT);
    }
    this.#rows = rows;
  }
}
