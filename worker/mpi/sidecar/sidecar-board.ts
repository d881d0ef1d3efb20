import { BOARD_BYTES, BOARD_TEXT_BYTES, BOARD_TEXT_OFFSET, BOARD_WORD, PHASE } from "./sidecar-protocol.js";

/** What a sidecar, and the process that started it, have written about it, for all threads of that process. */
export class SidecarBoard {
  readonly #words: Int32Array;
  readonly #text: Uint8Array;

  /** @param memory of the board's segment; used for as long as this is */
  constructor(memory: Uint8Array) {
    if (memory.byteLength < BOARD_BYTES) throw new RangeError(`a board of ${memory.byteLength} bytes`);
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, BOARD_TEXT_OFFSET / 4);
    this.#text = memory.subarray(BOARD_TEXT_OFFSET, BOARD_TEXT_OFFSET + BOARD_TEXT_BYTES);
  }

  /** One of `PHASE`. */
  get phase(): number {
    return Atomics.load(this.#words, BOARD_WORD.phase);
  }

  get rank(): number {
    return this.#words[BOARD_WORD.rank] ?? 0;
  }

  get size(): number {
    return this.#words[BOARD_WORD.size] ?? 0;
  }

  /** What MPI's library calls itself; of a sidecar that has failed: what went wrong. */
  get text(): string {
    return Buffer.from(this.#text.subarray(0, this.#words[BOARD_WORD.textBytes])).toString("utf8");
  }

  /** The sidecar is gone. What it has said of its failure stays. @param how without final period */
  end(how: string): void {
    if (this.phase === PHASE.failed) return;
    const text = Buffer.from(how).subarray(0, BOARD_TEXT_BYTES);
    this.#text.set(text);
    this.#words[BOARD_WORD.textBytes] = text.byteLength;
    Atomics.store(this.#words, BOARD_WORD.phase, PHASE.ended);
  }
}
