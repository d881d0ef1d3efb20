import type { SizePlan } from "./rank-messages.js";

/** What an exchange may take. */
export interface Pace {
  /** However little it moves. */
  readonly exchangeMs: number;
  readonly bytesPerSecond: number;
}

/** Several times what the slowest system took between processes of one host, with two of them on each core. */
export const SLOWEST_ON_ONE_HOST: Pace = { exchangeMs: 30, bytesPerSecond: 20e6 };
/** To load what it needs, and to meet the others. */
const START_MS = 120_000;
const FLOAT_BYTES = 4;
/** What timers can count to. */
const MOST_MS = 2 ** 31 - 1;

/** What any system may take for these sizes before it counts as one that hangs; whole milliseconds. Pure. */
export function timeLimitMs(sizes: readonly SizePlan[], { exchangeMs, bytesPerSecond }: Pace): number {
  const ofSizes = sizes.map(({ count, repetitions, warmUps }) => {
    return (repetitions + warmUps) * (exchangeMs + (1000 * count * FLOAT_BYTES) / bytesPerSecond);
  });
  return Math.min(MOST_MS, Math.ceil(ofSizes.reduce((sum, ms) => sum + ms, START_MS)));
}

/** What a run may take. Its timer goes when it is disposed of. */
export class TimeLimit implements Disposable {
  /** Resolves when the time is over; never, if it is disposed of before. */
  readonly reached: Promise<void>;
  readonly #limitMs: number;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs from now, whole milliseconds */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.reached = new Promise((resolve) => {
      this.#timer = setTimeout(() => {
        this.#isOver = true;
        resolve();
      }, limitMs);
    });
  }

  /** @param who for people, e.g. "rank 1" @throws Error that it took too long, if it did */
  check(who: string): void {
    if (this.#isOver) throw new Error(tookTooLong(who, this.#limitMs));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** For people. */
export function tookTooLong(who: string, limitMs: number): string {
  return `${who} took longer than ${limitMs / 1000} s`;
}
