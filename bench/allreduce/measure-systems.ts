import { copyMicroseconds } from "./copy-limit.js";
import type { SizePlan, Timing } from "./rank-messages.js";

/** One system's figures of all sizes, in processes of its own. */
export type Measure = (sizes: readonly SizePlan[]) => Promise<Timing[]>;

export interface SystemsToMeasure {
  readonly systems: readonly (readonly [name: string, measure: Measure])[];
  readonly sizes: readonly SizePlan[];
  /** What each process does before, unmeasured, until it is as fast as it gets; null: nothing. */
  readonly warmUp: SizePlan | null;
  readonly rounds: number;
  readonly onRound: (round: number) => void;
}

export interface MeasuredSystems {
  /** Of each system that has not failed, round by round. */
  readonly measured: ReadonlyMap<string, readonly (readonly Timing[])[]>;
  /** The least time that copying so many floats took, by count. */
  readonly copies: ReadonlyMap<number, number>;
  /** What became of those that failed, by name. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * In every round each system measures all sizes once, and memory is measured beside them. A system that fails takes no part in further
 * rounds; the others do.
 */
export async function measureSystems(what: SystemsToMeasure): Promise<MeasuredSystems> {
  const { systems, sizes, warmUp, rounds, onRound } = what;
  const before = warmUp === null ? [] : [warmUp];
  const measured = new Map<string, Timing[][]>(systems.map(([name]) => [name, []]));
  const copies = new Map<number, number>();
  const failures = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    for (const { count, repetitions } of sizes) {
      const copied = copyMicroseconds(count * 4, repetitions);
      copies.set(count, Math.min(copies.get(count) ?? Number.POSITIVE_INFINITY, copied));
    }
    for (const [name, measure] of systems) {
      if (failures.has(name)) continue;
      try {
        measured.get(name)?.push((await measure([...before, ...sizes])).slice(before.length));
      } catch (thrown) {
        failures.set(name, thrown instanceof Error ? thrown.message : String(thrown));
        measured.delete(name);
      }
    }
    onRound(round + 1);
  }
  return { measured, copies, failures };
}
