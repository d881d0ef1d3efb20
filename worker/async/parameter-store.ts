import { type BlockPlan, blockSpan } from "../../shared/arena-layout.js";
import type { AddressableMemory } from "../collective/block-folder.js";
import type { Address } from "../kernels/kernels.js";
import type { Optimizer } from "../optimizer/optimizer.js";
import type { PushPullTerms } from "./push-pull.js";

const FLOAT32_BYTES = 4;

/** Where the parameters lie that all workers push to: arenas of the job's layout, this store's alone. */
export interface StorePlaces {
  readonly parameters: Address;
  /** In the order of the optimizer's names. */
  readonly state: readonly Address[];
  /** Room for one block of gradients. */
  readonly inbox: Address;
}

export interface ParameterStoreOptions {
  readonly places: StorePlaces;
  readonly blocks: BlockPlan;
  /** What the addresses and the optimizer's kernels refer to. */
  readonly memory: AddressableMemory;
  readonly optimizer: Optimizer;
  /** Done before the first one here. */
  readonly updates: number;
}

/** The parameters of an asynchronous job and what its optimizer keeps: updated in place, one push after the other, block by block. */
export class ParameterStore {
  readonly #options: ParameterStoreOptions;
  #updates: number;

  constructor(options: ParameterStoreOptions) {
    this.#options = options;
    this.#updates = options.updates;
  }

  get blockCount(): number {
    return this.#options.blocks.blockCount;
  }

  /** Arenas that can be pulled. */
  get arenaCount(): number {
    return 1 + this.#options.places.state.length;
  }

  /** So far. */
  get updates(): number {
    return this.#updates;
  }

  sizeBytes(block: number): number {
    const { from, to } = blockSpan(this.#options.blocks, block);
    return (to - from) * FLOAT32_BYTES;
  }

  /** Counts one more update, whose blocks follow. */
  begin(): void {
    this.#updates++;
  }

  /** Applies a block of gradient sums that another worker has sent. */
  applyReceived(block: number, terms: PushPullTerms, gradient: Uint8Array): void {
    const { memory, places } = this.#options;
    new Uint8Array(memory.buffer, places.inbox, gradient.byteLength).set(gradient);
    this.#apply(block, terms, places.inbox);
  }

  /** Applies a block of an arena of gradient sums of this worker's. */
  applyOwn(block: number, terms: PushPullTerms, gradients: Address): void {
    this.#apply(block, terms, gradients + this.#offset(block));
  }

  /** A block as it is now: a copy, since it goes on changing. */
  copy(block: number, arena: number): Uint8Array {
    const { memory, places } = this.#options;
    const base = [places.parameters, ...places.state][arena];
    if (base === undefined) throw new RangeError(`there is no arena ${arena}`);
    return Uint8Array.from(new Uint8Array(memory.buffer, base + this.#offset(block), this.sizeBytes(block)));
  }

  #apply(block: number, { count, learningRate }: PushPullTerms, gradient: Address): void {
    const { optimizer, places } = this.#options;
    const offset = this.#offset(block);
    const here = {
      parameters: places.parameters + offset,
      state: places.state.map((address) => address + offset),
    };
    // Whoever pulls finds out whether all is finite: there is a step and a rank to name then.
    optimizer.update({
      step: this.#updates,
      current: here,
      next: here,
      sums: gradient,
      divisor: count,
      learningRate,
      from: 0,
      length: this.sizeBytes(block) / FLOAT32_BYTES,
    });
  }

  #offset(block: number): number {
    return blockSpan(this.#options.blocks, block).from * FLOAT32_BYTES;
  }
}
