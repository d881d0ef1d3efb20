import { setImmediate as nextTurn } from "node:timers/promises";
import { RingstrasseError } from "../../shared/failure.js";
import type { Address } from "../kernels/kernels.js";
import type { AddressableMemory } from "./block-folder.js";
import type { Membership } from "./collective.js";
import {
  decodeHeader,
  encodeHeader,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  type FramePhase,
  layoutTag,
} from "./frame-header.js";
import type { WordSleeper } from "./word-sleeper.js";

/** How long the thread sleeps before it looks after its sockets: short at first, since most waits are. */
const FIRST_SLEEP_MS = 1;
const LONGEST_SLEEP_MS = 8;
/** For so long a waiting thread keeps its processor to itself: most waits are over by then. */
const ALONE_MS = 0.02;
/** Of a place on the board: the word first, then two headers, each in a cache line. */
const CACHE_LINE_BYTES = 64;

export interface WindowBarrierOptions {
  readonly membership: Membership;
  readonly layoutHash: string;
  /** Shared by all workers. */
  readonly memory: AddressableMemory;
  /** Of every worker, by rank: see exchange-window.ts. */
  readonly board: readonly Address[];
  readonly sleeper: WordSleeper;
}

/**
 * Lets nobody pass before all have come, and tells those who come for different things: each worker writes what it has come for, a frame's
 * header without payload, to its place on a board that all see, counts up the word there, and waits until the others' words have reached the same
 * count. The word's atomic store and load order all accesses before and after them. Cost: one `futex` call and, when the others come
 * within some tens of microseconds, no sleep.
 *
 * **Why two headers are enough.** Whoever comes for the next time has seen all others come for this time; they may not have read its
 * header yet. It can't come for the time after that before they have.
 * **Why a new barrier on an old board goes on.** All have passed equally often when it is made, and each counts on from its own word.
 */
export class WindowBarrier {
  readonly #options: WindowBarrierOptions;
  readonly #layout: bigint;
  readonly #words: readonly Int32Array[];

  /** @throws RangeError when the board is too small, or for a malformed hash */
  constructor(options: WindowBarrierOptions) {
    const { membership, layoutHash, memory, board } = options;
    if (board.length < membership.worldSize) {
      throw new RangeError(`a board of ${board.length} places for ${membership.worldSize} workers`);
    }
    this.#options = options;
    this.#layout = layoutTag(layoutHash);
    this.#words = board.slice(0, membership.worldSize).map((address) => new Int32Array(memory.buffer, address, 1));
  }

  /**
   * Returns when all workers have come for this phase of this exchange.
   * @throws the signal's reason when aborted
   * @throws RingstrasseError PROTOCOL_VIOLATION when another worker has come for something else
   */
  async pass(phase: FramePhase, sequence: number, signal: AbortSignal): Promise<void> {
    const { membership, sleeper } = this.#options;
    const { rank, generation } = membership;
    const own = this.#word(rank);
    const count = (Atomics.load(own, 0) + 1) | 0;
    const what = { generation, sequence, block: 0, phase, folded: 0, payloadBytes: 0, sender: rank };
    this.#header(rank, count).set(encodeHeader({ ...what, layout: this.#layout }));
    Atomics.store(own, 0, count);
    sleeper.wake(own);
    for (const [other, word] of this.#words.entries()) {
      if (other === rank) continue;
      await this.#reached(word, count, signal);
      const from = `worker rank ${other}`;
      const problem = this.#problemOf(decodeHeader(this.#header(other, count), from), other, { phase, sequence });
      if (problem !== null) throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
    }
  }

  async #reached(word: Int32Array, count: number, signal: AbortSignal): Promise<void> {
    const value = (): number => Atomics.load(word, 0);
    // Counts wrap around.
    const hasReached = (seen: number): boolean => ((seen - count) | 0) >= 0;
    const { sleeper } = this.#options;
    const beganAt = performance.now();
    for (let waitedMs = 0; waitedMs <= sleeper.spinMs; waitedMs = performance.now() - beganAt) {
      if (hasReached(value())) return;
      // Who is waited for may be waiting for this processor.
      if (waitedMs > ALONE_MS) sleeper.giveWay();
    }
    for (let sleepMs = FIRST_SLEEP_MS; ; sleepMs = Math.min(LONGEST_SLEEP_MS, sleepMs * 2)) {
      const seen = value();
      if (hasReached(seen)) return;
      sleeper.sleep(word, seen, sleepMs);
      if (hasReached(value())) return;
      await nextTurn();
      signal.throwIfAborted();
    }
  }

  #problemOf(
    header: FrameHeader,
    sender: number,
    expected: { readonly phase: FramePhase; readonly sequence: number },
  ): string | null {
    const { generation } = this.#options.membership;
    if (header.generation !== generation) {
      return `an announcement of generation ${header.generation} in generation ${generation}`;
    }
    if (header.sender !== sender) return `an announcement of rank ${header.sender} in the place of rank ${sender}`;
    if (header.layout !== this.#layout) {
      const [theirs, ours] = [header.layout, this.#layout].map((tag) => tag.toString(16).padStart(16, "0"));
      return `its layout hash begins with ${theirs}, here with ${ours}: the workers hold different models or cuts`;
    }
    if (header.sequence === expected.sequence && header.phase === expected.phase) return null;
    return `an announcement of ${header.phase} of exchange ${header.sequence}, expected ${expected.phase} of exchange ${expected.sequence}: the workers disagree on the step`;
  }

  #word(rank: number): Int32Array {
    const word = this.#words[rank];
    if (word === undefined) throw new RangeError(`the board has no place for rank ${rank}`);
    return word;
  }

  #header(rank: number, count: number): Uint8Array {
    const { memory, board } = this.#options;
    const address = (board[rank] ?? 0) + CACHE_LINE_BYTES * (1 + (count & 1));
    return new Uint8Array(memory.buffer, address, FRAME_HEADER_BYTES);
  }
}
