import { copyMicroseconds } from "./copy-limit.js";
import type { SizePlan, Timing } from "./rank-messages.js";
import { type Pace, timeLimitMs } from "./time-limit.js";

/** One system's figures of all sizes, in processes of its own. @throws when that fails, or takes longer than so many whole milliseconds */
export type Measure = (sizes: readonly SizePlan[], limitMs: number) => Promise<Timing[]>;

export interface SystemsToMeasure {
  readonly systems: readonly (readonly [name: string, measure: Measure])[];
  readonly sizes: readonly SizePlan[];
  /** What each process does before, unmeasured, until it is as fast as it gets; null: nothing. */
  readonly warmUp: SizePlan | null;
  readonly rounds: number;
  /** How slow any system may be: the limit is the same for all. */
  readonly slowest: Pace;
  readonly onRound: (round: number) => void;
}

export interface MeasuredSystems {
  /** Of each system that has not failed, round by round. */
  readonly measured: ReadonlyMap<string, readonly (readonly Timing[])[]>;
  /** Names of who was measured, round by round, in that order. */
  readonly orders: readonly (readonly string[])[];
  /** The least time that copying so many floats took, by count. */
  readonly copies: ReadonlyMap<number, number>;
  /** What became of those that failed, by name. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * In every round each system measures all sizes once, and memory is measured beside them; in an order that moves on by one with every round,
 * so that what gets slower within a round is not the same system's each time. A system that fails takes no part in further rounds; the others do.
 */
export async function measureSystems(what: SystemsToMeasure): Promise<MeasuredSystems> {
  const { systems, sizes, warmUp, rounds, slowest, onRound } = what;
  const before = warmUp === null ? [] : [warmUp];
  const limitMs = timeLimitMs([...before, ...sizes], slowest);
  const measured = new Map<string, Timing[][]>(systems.map(([name]) => [name, []]));
  const copies = new Map<number, number>();
  const failures = new Map<string, string>();
  const orders: string[][] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { count, repetitions } of sizes) {
      const copied = copyMicroseconds(count * 4, repetitions);
      copies.set(count, Math.min(copies.get(count) ?? Number.POSITIVE_INFINITY, copied));
    }
    const shift = round % Math.max(1, systems.length);
    const order: string[] = [];
    for (const [name, measure] of [...systems.slice(shift), ...systems.slice(0, shift)]) {
      if (failures.has(name)) continue;
      try {
        const timings = (await measure([...before, ...sizes], limitMs)).slice(before.length);
        measured.get(name)?.push(timings);
        order.push(name);
      } catch (thrown) {
        failures.set(name, thrown instanceof Error ? thrown.message : String(thrown));
        measured.delete(name);
      }
    }
    orders.push(order);
    onRound(round + 1);
  }
  return { measured, orders, copies, failures };
}
