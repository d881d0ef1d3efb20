/**
 * Bounded staleness (Ho et al., "More effective distributed ML via a stale synchronous parallel parameter server", NIPS 2013): a worker may
 * do a step as long as it is then at most S steps ahead of the slowest. Pure but for what it holds: the steps of each worker.
 */
export class StalenessGate {
  readonly #most: number;
  /** Completed, by rank. */
  readonly #steps: number[];

  /**
   * @param mostStepsAhead S; at least 1: somebody has to be first
   * @throws RangeError for less
   */
  constructor(workers: number, mostStepsAhead: number) {
    if (!(mostStepsAhead >= 1)) throw new RangeError(`workers can't be at most ${mostStepsAhead} steps ahead`);
    this.#most = mostStepsAhead;
    this.#steps = new Array<number>(workers).fill(0);
  }

  /** Whether worker `rank` may complete its next step now. Always true for the slowest. */
  isOpen(rank: number): boolean {
    return this.#stepsOf(rank) + 1 - Math.min(...this.#steps) <= this.#most;
  }

  /** Worker `rank` has completed a step. @returns how many it is ahead of the slowest now. @throws RangeError when it had to wait */
  passed(rank: number): number {
    if (!this.isOpen(rank)) throw new RangeError(`rank ${rank} is ${this.#most} steps ahead of the slowest already`);
    this.#steps[rank] = this.#stepsOf(rank) + 1;
    return this.#stepsOf(rank) - Math.min(...this.#steps);
  }

  #stepsOf(rank: number): number {
    const steps = this.#steps[rank];
    if (steps === undefined) throw new RangeError(`there is no rank ${rank}`);
    return steps;
  }
}
