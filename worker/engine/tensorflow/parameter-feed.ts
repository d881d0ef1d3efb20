import type { ArenaLayout } from "../../../shared/arena-layout.js";
import type { StepGraph } from "../graph/step-graph.js";
import { type ArenaPlace, ArenaTensors, alignedArena, ByArena, isAlignedSharedMemory } from "./arena-tensors.js";
import type { TensorId } from "./native-binding.js";
import { type NativeSession, type Program, programOf } from "./native-session.js";

export interface ParameterFeedInputs {
  readonly session: NativeSession;
  readonly graph: StepGraph;
  readonly layout: ArenaLayout;
  readonly report: (text: string) => void;
}

/**
 * The parameters as the graph gets them: an arena in shared memory is fed as it lies there, without a copy, once it is proved that the library
 * sees what is written there; anything else is copied.
 */
export class ParameterFeed implements Disposable {
  readonly #session: NativeSession;
  readonly #places: readonly ArenaPlace[];
  readonly #length: number;
  readonly #firstElements: Program;
  readonly #report: (text: string) => void;
  /** Null: seen, and copied. */
  readonly #known = new ByArena<ArenaTensors | null>();
  /** The copy, and the tensors that look at it. */
  #copy: ArenaTensors | null = null;
  #current: readonly TensorId[] | null = null;

  constructor({ session, graph, layout, report }: ParameterFeedInputs) {
    this.#session = session;
    this.#places = [...layout.slots, ...layout.statistics];
    this.#length = layout.paddedLength;
    this.#firstElements = programOf(graph.tensors, [graph.inPlace.firstElements]);
    this.#report = report;
  }

  /** Null before the first `load`. */
  get current(): readonly TensorId[] | null {
    return this.#current;
  }

  load(parameters: Float32Array): void {
    if (parameters.length !== this.#length) {
      throw new RangeError(`the arena has ${parameters.length} floats, the layout ${this.#length}`);
    }
    this.#current = (this.#aliased(parameters) ?? this.#copied(parameters)).ids;
  }

  [Symbol.dispose](): void {
    for (const tensors of this.#known.values()) tensors?.[Symbol.dispose]();
    this.#copy?.[Symbol.dispose]();
    this.#current = null;
  }

  #aliased(parameters: Float32Array): ArenaTensors | null {
    if (!isAlignedSharedMemory(parameters)) return null;
    const known = this.#known.get(parameters);
    if (known !== undefined) return known;
    const tensors = new ArenaTensors(this.#session.binding, parameters, this.#places);
    const isSeen = this.#seesChanges(tensors);
    this.#known.set(parameters, isSeen ? tensors : null);
    if (isSeen) return tensors;
    tensors[Symbol.dispose]();
    this.#report("parameters are copied for every step: TensorFlow does not use this process's shared memory in place");
    return null;
  }

  #copied(parameters: Float32Array): ArenaTensors {
    const arena = this.#copy?.arena ?? alignedArena(this.#length);
    arena.set(parameters);
    // Made anew for each copy: whether the library looks at the arena or has a copy of its own then makes no difference.
    this.#copy?.[Symbol.dispose]();
    this.#copy = new ArenaTensors(this.#session.binding, arena, this.#places);
    return this.#copy;
  }

  /** Changes the first element of each tensor, asks the graph what it sees, and puts everything back. */
  #seesChanges({ ids, arena }: ArenaTensors): boolean {
    const saved = this.#places.map(({ offset }) => arena[offset] ?? 0);
    const marks = this.#places.map((_, index) => index + 0.5);
    const write = (values: readonly number[]) => {
      for (const [index, { offset }] of this.#places.entries()) arena[offset] = values[index] ?? 0;
    };
    try {
      write(marks);
      const [result] = this.#session.run(this.#firstElements, ids);
      if (result === undefined) throw new RangeError("the graph gave nothing");
      const seen = this.#session.take(result);
      return marks.every((mark, index) => seen[index] === Math.fround(mark));
    } finally {
      write(saved);
    }
  }
}
