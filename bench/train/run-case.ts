import { loadavg } from "node:os";
import { Contender, type ContenderPlan } from "./contender.js";
import type { Burst, Ready } from "./contender-messages.js";
import { firstDifference, type Ratio, type Rounds, ratio, type StepFigures, stepFigures, stepsFor } from "./figures.js";

/** All contenders start from the same parameters and see the same rows: as many steps must have the same losses. */
const COMPARED_STEPS = 10;
const WARM_STEPS = 12;
/** Of the larger loss. Sums in another order move a loss by 1e-6; near-tied maxima in pooling, some steps later, by 1e-4. */
const LOSS_TOLERANCE = 1e-3;
const LEAST_STEPS = 5;

export interface CaseChoice {
  readonly workloadPath: string;
  readonly plans: readonly ContenderPlan[];
  /** Names of those whose ratios are of interest. */
  readonly own: readonly string[];
  readonly cores: readonly number[];
  readonly rounds: number;
  readonly burstMs: number;
}

export interface CaseResult {
  readonly contenders: readonly (Ready & { readonly name: string; readonly firstLosses: readonly number[] })[];
  readonly stepsPerBurst: Readonly<Record<string, number>>;
  readonly figures: readonly StepFigures[];
  /** Each of ours against each other contender. */
  readonly ratios: readonly Ratio[];
  /** Of the machine, over a minute, before and after: what else was running (one process of ours counts for each core). */
  readonly load: readonly [number, number];
  /** Who computes something else. */
  readonly complaints: readonly string[];
}

/**
 * Measures one network with one optimizer. All contenders wait on the same cores; in each round each of them runs a burst of steps, in an
 * order that moves on by one with every round, so that what disturbs for some seconds disturbs all.
 * @throws Error when a contender ends
 */
export async function runCase({ workloadPath, plans, own, cores, rounds, burstMs }: CaseChoice): Promise<CaseResult> {
  const running: Contender[] = [];
  const before = loadavg()[0] ?? 0;
  try {
    for (const plan of plans) running.push(await Contender.start(plan, workloadPath, cores));
    const warm = new Map<string, Burst>();
    for (const one of running) warm.set(one.name, await one.run(WARM_STEPS));
    const bursts = new Map<string, Burst[]>(running.map(({ name }) => [name, []]));
    const steps = new Map([...warm].map(([name, burst]) => [name, stepsFor(burstMs, burst, LEAST_STEPS)]));
    for (let round = 0; round < rounds; round++) {
      const shift = round % running.length;
      for (const one of [...running.slice(shift), ...running.slice(0, shift)])
        bursts.get(one.name)?.push(await one.run(steps.get(one.name) ?? LEAST_STEPS));
    }
    const measured = [...bursts].map(([name, ran]): Rounds => ({ name, bursts: ran }));
    return {
      contenders: running.map(({ name, ready }) => ({ name, ...ready, firstLosses: firstLosses(warm.get(name)) })),
      stepsPerBurst: Object.fromEntries(steps),
      figures: measured.map(stepFigures),
      ratios: ratiosOf(measured, own),
      load: [before, loadavg()[0] ?? 0],
      complaints: differences(warm),
    };
  } finally {
    for (const one of running) await one[Symbol.asyncDispose]();
  }
}

/** Ours against peers, and against those of ours that stand before. */
function ratiosOf(measured: readonly Rounds[], own: readonly string[]): Ratio[] {
  return measured.flatMap((one, index) => {
    if (!own.includes(one.name)) return [];
    const others = measured.filter((other, at) => (own.includes(other.name) ? at < index : true));
    return others.map((other) => ratio(one, other));
  });
}

function firstLosses(burst: Burst | undefined): number[] {
  return burst?.losses.slice(0, COMPARED_STEPS) ?? [];
}

/** Everybody against the first. */
function differences(warm: ReadonlyMap<string, Burst>): string[] {
  const [[reference, expected] = [], ...others] = [...warm];
  return others.flatMap(([name, burst]) => {
    const found = firstDifference(firstLosses(burst), firstLosses(expected), LOSS_TOLERANCE);
    if (found === null) return [];
    return [`${name} computes something else: loss ${found.own} in step ${found.step}, ${reference} ${found.other}`];
  });
}
