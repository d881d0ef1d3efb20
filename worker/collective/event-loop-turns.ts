import { setImmediate as nextTurn } from "node:timers/promises";

/** Bytes folded between two turns: a fraction of a millisecond, so that sends leave and heartbeats stay on time. */
const BYTES_PER_TURN = 1024 * 1024;

/** Lets the event loop turn now and then in the midst of uninterrupted work, and looks whether the work is still wanted. */
export class EventLoopTurns {
  readonly #signal: AbortSignal;
  readonly #bytesPerTurn: number;
  #bytes = 0;

  constructor(signal: AbortSignal, bytesPerTurn = BYTES_PER_TURN) {
    this.#signal = signal;
    this.#bytesPerTurn = bytesPerTurn;
  }

  /** Call after `bytes` bytes of work. @throws the signal's reason when aborted. */
  async after(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < this.#bytesPerTurn) return;
    this.#bytes = 0;
    await nextTurn();
    this.#signal.throwIfAborted();
  }
}
