const ASKED = 0;
const BUSY = 1;
const FIELDS = 2;

/**
 * Two flags in shared memory between the threads of a worker: whether the coordinator has asked for a checkpoint, and whether the last
 * one is still on its way. The main thread looks at them between two steps, when it has no time for messages.
 */
export class SnapshotBoard {
  readonly memory: SharedArrayBuffer;
  readonly #fields: Int32Array;

  /** @param memory another thread's board; absent: a new one. */
  constructor(memory = new SharedArrayBuffer(FIELDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#fields = new Int32Array(memory);
  }

  get isAsked(): boolean {
    return Atomics.load(this.#fields, ASKED) === 1;
  }

  /** Whether a snapshot is being sent: its memory must not be touched. */
  get isBusy(): boolean {
    return Atomics.load(this.#fields, BUSY) === 1;
  }

  ask(): void {
    Atomics.store(this.#fields, ASKED, 1);
  }

  answered(): void {
    Atomics.store(this.#fields, ASKED, 0);
  }

  busy(is: boolean): void {
    Atomics.store(this.#fields, BUSY, is ? 1 : 0);
  }
}
