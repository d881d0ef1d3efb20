import type { HashLogEntry } from "../output/hash-log-format.js";

/** Two values of the same thing, in RUN_A and RUN_B. */
export interface Both<T> {
  readonly a: T;
  readonly b: T;
}

export type EntryPosition = Pick<HashLogEntry, "epoch" | "step">;

/** A fact that the runs' headers disagree about. */
export interface ConfigurationDifference extends Both<string> {
  /** e.g. `seed`, `engineVersion`. */
  readonly name: string;
  /** Whether it decides over the bits of the result, so that it may explain a difference. */
  readonly numeric: boolean;
}

/**
 * What differs first at a place, in the order in which a step computes:
 * - `initial`: the parameters before the first step;
 * - `rows`: what a replica was fed;
 * - `gradient`: rows alike, but what a replica computed of them isn't;
 * - `update`: all gradients alike, but not the parameters made of them: the fold over the replicas, or the optimizer;
 * - `parameters`, `state`: seen at the end of an epoch, whose steps are not in both logs.
 */
export type DifferenceStage = "initial" | "rows" | "gradient" | "update" | "parameters" | "state";

export interface FirstDifference extends EntryPosition {
  readonly stage: DifferenceStage;
  /** Only `rows` and `gradient` belong to one replica. */
  readonly replica: number | null;
  /** The first block that differs; null for `rows`. */
  readonly block: number | null;
  /** Tensors that this block holds parts of; empty for `rows`. */
  readonly tensors: readonly string[];
  /** Of this replica's gradient, of the parameters or of the state arena. */
  readonly differingBlocks: number;
  readonly blockCount: number;
  /** The optimizer's state arena, for `state`. */
  readonly stateName: string | null;
  readonly hashes: Both<string>;
  /** The last place that is alike in both runs; null when there is none. */
  readonly lastEqual: EntryPosition | null;
}

/** The outcome of comparing two runs. */
export interface RunComparison {
  readonly result:
    | { readonly kind: "identical"; readonly at: EntryPosition }
    | { readonly kind: "different"; readonly difference: FirstDifference }
    /** Alike as far as both go, but one run has more steps or epochs. */
    | { readonly kind: "shorter"; readonly shorter: "a" | "b"; readonly lastEqual: EntryPosition | null }
    /** The runs have nothing in common that could be compared. */
    | { readonly kind: "incomparable"; readonly reasons: readonly string[] };
  readonly configuration: readonly ConfigurationDifference[];
  /** Whether both logs have steps: only then can the first step that differs be named. */
  readonly stepsCompared: boolean;
}
