import { firstDifference } from "../train/figures.js";
import type { Competitor, Turn } from "./competitor.js";
import type { SystemKind, SystemTurns } from "./scaling-figures.js";

/** All start from the same parameters and see the same rows: as many steps must have the same losses. */
const COMPARED_STEPS = 10;
/** Of the larger loss, as in `bench/train/run-case.ts`. */
const LOSS_TOLERANCE = 1e-3;
/** Of a turn: what runs first after a pause is not what is measured. */
const WARM_PART = 0.25;

/** A system that is still to be started. */
export interface Entrant {
  readonly side: string;
  readonly kind: SystemKind;
  readonly isOwn: boolean;
  /** Whether its first losses are those of all rows: not with independent trainings, which have each a part of them in a step. */
  readonly hasAllRows: boolean;
  start(): Promise<Competitor>;
}

export interface Rounds {
  readonly rounds: number;
  /** Of one turn. */
  readonly seconds: number;
  readonly onRound?: (round: number) => void;
}

export interface MeasuredSystems {
  readonly systems: readonly SystemTurns[];
  /** Who computes something else. */
  readonly complaints: readonly string[];
}

/**
 * Starts everybody, one after the other, and lets them take turns: in each round each has one, in an order that moves on by one with
 * every round, so that what disturbs for some seconds disturbs all. @throws Error when one of them ends
 */
export async function measureCase(
  entrants: readonly Entrant[],
  { rounds, seconds, onRound }: Rounds,
): Promise<MeasuredSystems> {
  const running: { readonly entrant: Entrant; readonly competitor: Competitor; readonly turns: Turn[] }[] = [];
  try {
    for (const entrant of entrants) running.push({ entrant, competitor: await entrant.start(), turns: [] });
    for (const { competitor } of running) await competitor.run(Math.max(1, seconds * WARM_PART));
    for (let round = 0; round < rounds; round++) {
      const shift = round % running.length;
      for (const { competitor, turns } of [...running.slice(shift), ...running.slice(0, shift)])
        turns.push(await competitor.run(seconds));
      onRound?.(round + 1);
    }
    const systems = running.map(({ entrant: { side, kind, isOwn }, competitor, turns }): SystemTurns => {
      const { name, betweenStepsMs } = competitor;
      const whole = turns.map(({ stepMs, waitedMs }) => ({ stepMs: stepMs + betweenStepsMs, waitedMs }));
      return { ...{ name, side, kind, isOwn }, turns: whole };
    });
    const comparable = running.filter(({ entrant }) => entrant.hasAllRows).map(({ competitor }) => competitor);
    return { systems, complaints: differences(comparable) };
  } finally {
    for (const { competitor } of running) await competitor[Symbol.asyncDispose]();
  }
}

/** Everybody against the first. */
function differences([reference, ...others]: readonly Competitor[]): string[] {
  return others.flatMap(({ name, firstLosses }) => {
    const expected = reference?.firstLosses.slice(0, COMPARED_STEPS) ?? [];
    const losses = firstLosses.slice(0, COMPARED_STEPS);
    if (losses.length !== expected.length)
      return [`${name} told ${losses.length} losses instead of ${expected.length}`];
    const found = firstDifference(losses, expected, LOSS_TOLERANCE);
    if (found === null) return [];
    return [
      `${name} computes something else: loss ${found.own} in step ${found.step}, ${reference?.name} ${found.other}`,
    ];
  });
}
