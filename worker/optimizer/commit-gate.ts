/** Where training stands: after so many steps. */
export interface CommitPosition {
  readonly epoch: number;
  readonly step: number;
}

/**
 * Makes an update all or nothing. A step writes the shadow copies of parameters and optimizer state; only when every block of this
 * step and generation has arrived and every element has been written do the copies change places. After a fault the committed
 * copies are whole, whatever the running step had reached.
 */
export class CommitGate {
  readonly #length: number;
  #committed: 0 | 1 = 0;
  #position: CommitPosition;
  #running: { step: number; generation: number; arrived: boolean; written: number } | null = null;

  /**
   * @param length floats of an arena: what has to be written before a commit.
   * @param position that the first of each pair of arenas stands at.
   */
  constructor(length: number, position: CommitPosition = { epoch: 0, step: 0 }) {
    this.#length = length;
    this.#position = position;
  }

  /** Which of each pair of arenas is committed: what engines read and checkpoints save. */
  get current(): 0 | 1 {
    return this.#committed;
  }

  /** Which of each pair the running step writes. */
  get shadow(): 0 | 1 {
    return this.#committed === 0 ? 1 : 0;
  }

  get position(): CommitPosition {
    return this.#position;
  }

  /**
   * Opens step `step`; a round of several is named by its last one, since nothing is committed before.
   * @param steps of the round
   * @throws Error unless it follows the committed one.
   */
  begin(step: number, generation: number, steps = 1): void {
    if (steps < 1 || step !== this.#position.step + steps)
      throw new Error(`step ${step} can't follow committed step ${this.#position.step}`);
    this.#running = { step, generation, arrived: false, written: 0 };
  }

  /** All sums of the step's exchange have arrived. @throws Error when they belong to another step or generation. */
  arrived(step: number, generation: number): void {
    const running = this.#running;
    if (running === null || running.step !== step || running.generation !== generation) {
      throw new Error(`sums of step ${step}, generation ${generation} don't belong to the running step`);
    }
    running.arrived = true;
  }

  /** `length` floats of the shadow copies, starting at `from`, are written; spans come in order. */
  wrote(from: number, length: number): void {
    const running = this.#running;
    if (running === null || !running.arrived) throw new Error("parameters written before the sums have arrived");
    if (from !== running.written)
      throw new Error(`floats ${running.written}..${from} of the shadow copies were left out`);
    running.written += length;
  }

  /**
   * Ends a step that changes nothing: the committed copies stay, whatever was written to the others.
   * @throws Error when its sums haven't arrived.
   */
  leaveOut(position: CommitPosition): void {
    const running = this.#running;
    if (running === null || running.step !== position.step || !running.arrived)
      throw new Error(`step ${position.step} can't be left out before its sums have arrived`);
    this.#position = position;
    this.#running = null;
  }

  /** Flips shadow and committed. @throws Error when anything is missing: the committed copies stay. */
  commit(position: CommitPosition): void {
    const running = this.#running;
    if (running === null || running.step !== position.step) throw new Error(`step ${position.step} was not begun`);
    if (!running.arrived || running.written !== this.#length) {
      throw new Error(`step ${position.step} is incomplete: ${running.written} of ${this.#length} floats written`);
    }
    this.#committed = this.shadow;
    this.#position = position;
    this.#running = null;
  }
}
