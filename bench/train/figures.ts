import { median } from "../support/median.js";
import type { Burst } from "./contender-messages.js";

/** One contender's bursts, a round each. */
export interface Rounds {
  readonly name: string;
  readonly bursts: readonly Burst[];
}

/** Milliseconds per step. Each figure is a median over the rounds. */
export interface StepFigures {
  readonly name: string;
  /** Median step of a round. */
  readonly stepMs: number;
  /** A round's time divided by its steps: with what happens only sometimes, such as collecting garbage. */
  readonly meanStepMs: number;
  /** Processor time per step: what other tenants of the cores can't add to, but for caches. */
  readonly cpuMsPerStep: number;
  /** Median step of every round, in order: how far they are apart. */
  readonly rounds: readonly number[];
}

/** @throws RangeError without rounds or steps */
export function stepFigures({ name, bursts }: Rounds): StepFigures {
  const rounds = bursts.map(({ stepMs }) => median(stepMs));
  const means = bursts.map(({ stepMs }) => stepMs.reduce((sum, ms) => sum + ms, 0) / stepMs.length);
  const cpu = bursts.map(({ cpuMs, stepMs }) => cpuMs / stepMs.length);
  return { name, stepMs: median(rounds), meanStepMs: median(means), cpuMsPerStep: median(cpu), rounds };
}

/** How `name`'s time compares with `of`'s: below 1 is faster. */
export interface Ratio {
  readonly name: string;
  readonly of: string;
  /** Median over the rounds of the ratio within a round, where both were measured within seconds. */
  readonly stepMs: number;
  readonly meanStepMs: number;
  readonly cpuMsPerStep: number;
  /** Smallest and largest of the rounds' ratios of median steps. */
  readonly range: readonly [number, number];
}

/** @throws RangeError unless both have the same number of rounds, at least one */
export function ratio(own: Rounds, other: Rounds): Ratio {
  if (own.bursts.length !== other.bursts.length) throw new RangeError(`${own.name} and ${other.name} had other rounds`);
  const perRound = (figure: (burst: Burst) => number): number[] =>
    own.bursts.map((burst, round) => figure(burst) / figure(other.bursts[round] ?? burst));
  const ratios = perRound(({ stepMs }) => median(stepMs));
  const mean = ({ stepMs }: Burst) => stepMs.reduce((sum, ms) => sum + ms, 0) / stepMs.length;
  return {
    name: own.name,
    of: other.name,
    stepMs: median(ratios),
    meanStepMs: median(perRound(mean)),
    cpuMsPerStep: median(perRound(({ cpuMs, stepMs }) => cpuMs / stepMs.length)),
    range: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** Where two trainings that should compute the same first differ. */
export interface LossDifference {
  /** From 1. */
  readonly step: number;
  readonly own: number;
  readonly other: number;
}

/**
 * The first step whose losses differ by more than `tolerance` of the larger; null: none of those that both have. A loss that is not
 * finite differs from everything.
 */
export function firstDifference(
  own: readonly number[],
  other: readonly number[],
  tolerance: number,
): LossDifference | null {
  const steps = Math.min(own.length, other.length);
  for (let index = 0; index < steps; index++) {
    const [a, b] = [own[index] ?? Number.NaN, other[index] ?? Number.NaN];
    const areFinite = Number.isFinite(a) && Number.isFinite(b);
    const isClose = areFinite && Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
    if (!isClose) return { step: index + 1, own: a, other: b };
  }
  return null;
}

/** Steps of a burst that lasts about `burstMs`, by the steps of an earlier one; at least `least`. */
export function stepsFor(burstMs: number, earlier: Burst, least: number): number {
  return Math.max(least, Math.round(burstMs / median(earlier.stepMs)));
}

/** Growth of memory: the most after the first `warm` samples, minus that of them. @throws RangeError without enough samples */
export function growthBytes(residentBytes: readonly number[], warm: number): number {
  const [before, after] = [residentBytes.slice(0, warm), residentBytes.slice(warm)];
  if (before.length === 0 || after.length === 0) throw new RangeError(`${residentBytes.length} samples tell no growth`);
  return Math.max(...after) - Math.max(...before);
}
