import { PHASES, type Phase } from "../../shared/protocol/control-message.js";

const PROGRESS = 0;
const PHASE = 1;
const EPOCH = 2;
const STEP = 3;
const FIELDS = 4;

/**
 * A few counters in shared memory: the main thread writes what it is doing, the communication thread reads it for heartbeats.
 * So heartbeats go out while the main thread computes, and a computation that hangs is still seen: its counter stands still. While the
 * main thread waits for an exchange the communication thread counts for it: over a slow link that may take as long as it likes.
 */
export class ProgressBoard {
  readonly memory: SharedArrayBuffer;
  readonly #fields: Int32Array;

  /** @param memory another thread's board; absent: a new one. */
  constructor(memory = new SharedArrayBuffer(FIELDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#fields = new Int32Array(memory);
  }

  /** The main thread has got on with its work. */
  advance(phase: Phase): void {
    Atomics.store(this.#fields, PHASE, PHASES.indexOf(phase));
    Atomics.add(this.#fields, PROGRESS, 1);
  }

  /** A frame has come. Where the main thread does not wait for it, it says nothing of that: others may go on while it hangs. */
  exchanging(): void {
    if (PHASES[Atomics.load(this.#fields, PHASE)] === "exchange") Atomics.add(this.#fields, PROGRESS, 1);
  }

  position(epoch: number, step: number): void {
    Atomics.store(this.#fields, EPOCH, epoch);
    Atomics.store(this.#fields, STEP, step);
  }

  read(): { progress: number; phase: Phase; epoch: number; step: number } {
    return {
      // The counter may wrap; only its changes matter.
      progress: Atomics.load(this.#fields, PROGRESS) >>> 0,
      phase: PHASES[Atomics.load(this.#fields, PHASE)] ?? "idle",
      epoch: Atomics.load(this.#fields, EPOCH),
      step: Atomics.load(this.#fields, STEP),
    };
  }
}
