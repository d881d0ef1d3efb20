import type { ArenaLayout, ArenaSlot } from "../../../shared/arena-layout.js";
import type { GraphTensor } from "../graph/graph-node.js";
import type { StepGraph } from "../graph/step-graph.js";
import { type ArenaPlace, ArenaTensors, alignedArena, ByArena, isAlignedSharedMemory } from "./arena-tensors.js";
import type { TensorId } from "./native-binding.js";
import { type NativeSession, type Program, programOf } from "./native-session.js";

export interface GradientTargetInputs {
  readonly session: NativeSession;
  readonly graph: StepGraph;
  readonly layout: ArenaLayout;
  /** What a training step is fed, in this order, before anything that is named here. */
  readonly feeds: readonly GraphTensor[];
  readonly report: (text: string) => void;
}

/** Written by the graph itself. */
const PROBE_VALUE = 1.5;

/**
 * Runs a training step so that its gradients end up in an arena: written there by the graph itself where that is proved to work, else by way of
 * an arena of the engine's own, else fetched one by one.
 */
export class GradientTarget implements Disposable {
  readonly #session: NativeSession;
  readonly #graph: StepGraph;
  readonly #slots: readonly ArenaSlot[];
  readonly #places: readonly ArenaPlace[];
  readonly #length: number;
  readonly #report: (text: string) => void;
  readonly #inPlace: Program;
  readonly #fetching: Program;
  readonly #probe: Program;
  /** Null: the graph can't write there. */
  readonly #known = new ByArena<ArenaTensors | null>();
  /** Undefined: not tried yet. Null: the graph can't write there either, which stays so. */
  #own: ArenaTensors | null | undefined;

  constructor({ session, graph, layout, feeds, report }: GradientTargetInputs) {
    const { inPlace, gradients, sums } = graph;
    this.#session = session;
    this.#graph = graph;
    this.#slots = [...layout.slots, ...layout.statistics];
    this.#places = this.#slots.map(({ offset, length }) => ({ offset, length, shape: [1, length] }));
    this.#length = layout.paddedLength;
    this.#report = report;
    this.#inPlace = programOf([...feeds, ...inPlace.into], [inPlace.sums]);
    this.#fetching = programOf(feeds, [sums, ...gradients]);
    this.#probe = programOf([inPlace.probe, ...inPlace.into], [inPlace.probed]);
  }

  /** @returns the step's sums, the caller's to delete. */
  run(feeds: readonly TensorId[], into: Float32Array): TensorId {
    if (into.length !== this.#length) {
      throw new RangeError(`the arena has ${into.length} floats, the layout ${this.#length}`);
    }
    const there = this.#writable(into);
    if (there !== null) return this.#runInPlace(feeds, there);
    if (this.#own === undefined) {
      this.#own = this.#proved(new ArenaTensors(this.#session.binding, alignedArena(this.#length), this.#places));
    }
    if (this.#own === null) return this.#runFetching(feeds, into);
    const sums = this.#runInPlace(feeds, this.#own);
    for (const { offset, length } of this.#slots) {
      into.set(this.#own.arena.subarray(offset, offset + length), offset);
    }
    return sums;
  }

  [Symbol.dispose](): void {
    for (const tensors of this.#known.values()) tensors?.[Symbol.dispose]();
    this.#own?.[Symbol.dispose]();
  }

  #runInPlace(feeds: readonly TensorId[], { ids }: ArenaTensors): TensorId {
    return onlyOne(this.#session.run(this.#inPlace, [...feeds, ...ids]));
  }

  #runFetching(feeds: readonly TensorId[], into: Float32Array): TensorId {
    const [sums, ...gradients] = this.#session.run(this.#fetching, feeds);
    for (const [index, id] of gradients.entries()) {
      const slot = this.#slots[index];
      if (slot === undefined) throw new RangeError(`the graph gave ${gradients.length} gradients`);
      into.set(this.#session.take(id), slot.offset);
    }
    return onlyOne(sums === undefined ? [] : [sums]);
  }

  #writable(into: Float32Array): ArenaTensors | null {
    if (!isAlignedSharedMemory(into)) return null;
    const known = this.#known.get(into);
    if (known !== undefined) return known;
    const tensors = this.#proved(new ArenaTensors(this.#session.binding, into, this.#places));
    this.#known.set(into, tensors);
    if (tensors === null)
      this.#report("gradients are copied: TensorFlow does not write into this process's shared memory");
    return tensors;
  }

  /** Lets the graph write a number everywhere and looks; null, and the tensors deleted, when it isn't there. */
  #proved(tensors: ArenaTensors): ArenaTensors | null {
    const { binding } = this.#session;
    for (const { offset } of this.#places) tensors.arena[offset] = 0;
    const probe = binding.createTensor(this.#graph.inPlace.probe.shape, binding.TF_FLOAT, Float32Array.of(PROBE_VALUE));
    try {
      binding.deleteTensor(onlyOne(this.#session.run(this.#probe, [probe, ...tensors.ids])));
    } finally {
      binding.deleteTensor(probe);
    }
    const isThere = this.#places.every(({ offset, length }) =>
      tensors.arena.subarray(offset, offset + length).every((value) => value === PROBE_VALUE),
    );
    if (isThere) return tensors;
    tensors[Symbol.dispose]();
    return null;
  }
}

function onlyOne(ids: readonly TensorId[]): TensorId {
  const [id] = ids;
  if (id === undefined || ids.length > 1) throw new RangeError(`the graph gave ${ids.length} results`);
  return id;
}
