import { Contender } from "../train/contender.js";
import { ourEngine } from "../train/our-engines.js";

/** Steps of both together before figures count: engines warm up. */
const WARM_UP_STEPS = 5;

/**
 * What waiting for each other costs two trainings on this machine when they exchange nothing at all: each computes the gradients of its
 * half of a batch and updates parameters of its own, pinned to a core of its own, independently or in step. On a machine whose cores
 * don't run at one speed all the time, the pair goes as fast as the slower core at every step: no synchronous training can do better
 * with the same engine. Linux only.
 */
export class SynchronousPair implements AsyncDisposable {
  readonly #halves: readonly Contender[];

  private constructor(halves: readonly Contender[]) {
    this.#halves = halves;
  }

  /** @param workloadPath of half a batch; see `writeWorkload`. @throws Error when one can't be started */
  static async start(workloadPath: string, engine: string): Promise<SynchronousPair> {
    const halves = await Promise.all([0, 1].map((core) => Contender.start(ourEngine(engine), workloadPath, [core])));
    await Promise.all(halves.map((half) => half.run(WARM_UP_STEPS)));
    return new SynchronousPair(halves);
  }

  /** Half steps per second of both together, each going on as soon as it has done its own. */
  async independent(seconds: number): Promise<number> {
    return await rate(seconds, async (isOver) => {
      const counts = await Promise.all(this.#halves.map((half) => countUntil(isOver, () => half.run(1))));
      return counts.reduce((sum, count) => sum + count, 0);
    });
  }

  /** Half steps per second of both together, each waiting for the other after every one. */
  async inStep(seconds: number): Promise<number> {
    const both = () => Promise.all(this.#halves.map((half) => half.run(1)));
    return await rate(seconds, async (isOver) => (await countUntil(isOver, both)) * this.#halves.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#halves.map((half) => half[Symbol.asyncDispose]()));
  }
}

async function rate(seconds: number, run: (isOver: () => boolean) => Promise<number>): Promise<number> {
  const began = performance.now();
  const count = await run(() => performance.now() - began > seconds * 1000);
  return (count * 1000) / (performance.now() - began);
}

async function countUntil(isOver: () => boolean, once: () => Promise<unknown>): Promise<number> {
  let count = 0;
  for (; !isOver(); count++) await once();
  return count;
}
