import { setImmediate as nextTurn } from "node:timers/promises";

/** Bytes folded between two turns: a fraction of a millisecond, so that sends leave and heartbeats stay on time. */
const BYTES_PER_TURN = 1024 * 1024;

/** Lets the event loop turn after every megabyte or so of uninterrupted work, and looks whether the work is still wanted. */
export class EventLoopTurns {
  readonly #signal: AbortSignal;
  #bytes = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Call after `bytes` bytes of work. @throws the signal's reason when aborted. */
  async after(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < BYTES_PER_TURN) return;
    this.#bytes = 0;
    await nextTurn();
    this.#signal.throwIfAborted();
  }
}
