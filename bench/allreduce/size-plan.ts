import type { SizePlan } from "./rank-messages.js";

const FLOAT_BYTES = 4;
/**
 * Bytes that all repetitions of one size move together, as far as the limits below let them. Training does an exchange thousands of times: it
 * must weigh little here that the first ones meet pages which nobody has touched yet.
 */
const BYTES_PER_SIZE = 1024 * 1024 * 1024;
/** The same over links, which are so much slower that pages weigh nothing. */
const BYTES_PER_SIZE_OVER_LINKS = 192 * 1024 * 1024;
const MOST_REPETITIONS = 2000;
/** Where ranks have to wait for each other's processors, each wait may take a scheduler's time slice. */
const MOST_CROWDED_REPETITIONS = 200;
const FEWEST_REPETITIONS = 3;
/** So often a process that compiles as it runs has to do the same until it is as fast as it gets. */
const WARM_UPS = 3000;
const CROWDED_WARM_UPS = 500;
const WARM_UP_BYTES = 64 * 1024;

/** Goes before all sizes, of every system. @param isCrowded more ranks than cores, or a slow link: each exchange takes long */
export function warmUpPlan(isCrowded: boolean): SizePlan {
  return { count: WARM_UP_BYTES / FLOAT_BYTES, repetitions: 1, warmUps: isCrowded ? CROWDED_WARM_UPS : WARM_UPS };
}

/** Sizes from `fromBytes` to `toBytes`, each `factor` times the last; pure, so that every system does the same work. */
export function sizePlans(fromBytes: number, toBytes: number, factor = 2): SizePlan[] {
  const plans: SizePlan[] = [];
  for (let bytes = fromBytes; bytes <= toBytes; bytes *= factor) plans.push(sizePlan(bytes));
  return plans;
}

/** The same for more ranks than there are cores. */
export function crowded({ count, repetitions }: SizePlan): SizePlan {
  const fewer = Math.min(repetitions, MOST_CROWDED_REPETITIONS);
  return { count, repetitions: fewer, warmUps: warmUpsOf(fewer) };
}

export function sizePlan(bytes: number): SizePlan {
  return planWithin(BYTES_PER_SIZE, bytes);
}

/** Over a link between two hosts. */
export function linkSizePlan(bytes: number): SizePlan {
  return planWithin(BYTES_PER_SIZE_OVER_LINKS, bytes);
}

function planWithin(bytesPerSize: number, bytes: number): SizePlan {
  const repetitions = Math.min(MOST_REPETITIONS, Math.max(FEWEST_REPETITIONS, Math.floor(bytesPerSize / bytes)));
  return { count: Math.max(1, Math.round(bytes / FLOAT_BYTES)), repetitions, warmUps: warmUpsOf(repetitions) };
}

function warmUpsOf(repetitions: number): number {
  return Math.max(2, Math.ceil(repetitions / 10));
}

/** As an argument of a program. */
export function sizeArgument({ count, repetitions, warmUps }: SizePlan): string {
  return `${count}:${repetitions}:${warmUps}`;
}

/** Of such arguments. @throws RangeError */
export function readSizes(texts: readonly string[]): SizePlan[] {
  return texts.map((text) => {
    const [, count, repetitions, warmUps] = /^(\d+):(\d+):(\d+)$/.exec(text) ?? [];
    if (count === undefined) throw new RangeError(`"${text}" is not COUNT:REPETITIONS:WARMUPS`);
    return { count: Number(count), repetitions: Number(repetitions), warmUps: Number(warmUps) };
  });
}
