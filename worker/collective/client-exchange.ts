import type { Span } from "../../shared/epoch-plan.js";
import type { BlockFolder } from "./block-folder.js";
import type { Exchange, Membership } from "./collective.js";
import { termOfReplica } from "./fold-terms.js";
import { type CheckedFrame, frameName, type StarFrames, violation } from "./star-frames.js";

/**
 * Gradients that a client may have sent whose totals it has not got back yet; or one block, where that is more. So much of each client lies
 * with the server at most, sent, on its way or set aside.
 */
export const CLIENT_WINDOW_BYTES = 2 ** 20;

export interface ClientExchangeOptions {
  readonly exchange: Exchange;
  readonly membership: Membership;
  /** This worker's replicas. */
  readonly arc: Span;
  readonly folder: BlockFolder;
  readonly frames: StarFrames;
  /** The server's rank. */
  readonly server: number;
}

/**
 * One exchange on a client: sends its replicas' gradients block by block, as far ahead of the totals as the window lets it.
 *
 * **Why all go on.** All clients send their blocks in the same order. Of the first block whose total is missing, every client has all
 * totals before it, hence an empty window as far as those are concerned: it sends that block, or has; so the server can finish it.
 */
export class ClientExchange {
  readonly #options: ClientExchangeOptions;
  readonly #gradientBytes: readonly number[];
  readonly #totalBytes: readonly number[];
  readonly #hasTotal: boolean[];
  #nextBlock = 0;
  #outstandingBytes = 0;

  constructor(options: ClientExchangeOptions) {
    const { folder, exchange } = options;
    this.#options = options;
    this.#gradientBytes = folder.gradientBytes(exchange.withArena);
    this.#totalBytes = folder.blockBytes(exchange.withArena);
    this.#hasTotal = this.#totalBytes.map(() => false);
  }

  /** @throws the signal's reason when aborted. @throws RingstrasseError PROTOCOL_VIOLATION, ENDPOINT_UNAVAILABLE */
  async run(signal: AbortSignal): Promise<void> {
    const { frames, server } = this.#options;
    while (frames.areMissing) {
      this.#sendAhead();
      this.#take(await frames.receive([server], signal));
    }
  }

  #sendAhead(): void {
    while (this.#nextBlock < this.#gradientBytes.length) {
      const bytes = this.#windowBytes(this.#nextBlock);
      if (this.#outstandingBytes > 0 && this.#outstandingBytes + bytes > CLIENT_WINDOW_BYTES) return;
      this.#sendBlock(this.#nextBlock++);
      this.#outstandingBytes += bytes;
    }
  }

  /** In the order in which they are folded. */
  #sendBlock(block: number): void {
    const { arc, folder, frames, membership, server } = this.#options;
    const { replicas } = membership;
    const local = Array.from({ length: arc.to - arc.from }, (_, index) => arc.from + index);
    const terms = local.map((replica) => ({ replica, term: termOfReplica({ block, replicas }, replica) }));
    terms.sort((a, b) => a.term - b.term);
    for (const { replica, term } of terms) {
      frames.send(server, { block, phase: "gradient", folded: term + 1 }, folder.gradientView(block, replica));
    }
  }

  #take({ header, payload }: CheckedFrame): void {
    const { exchange, folder, membership } = this.#options;
    const { block, phase, folded } = header;
    const size = this.#totalBytes[block];
    const name = frameName(header);
    if (size === undefined) {
      const problem = `${name}, which has ${this.#totalBytes.length} blocks here: the workers exchange different things`;
      throw violation(header, problem);
    }
    if (phase !== "total" || folded !== membership.replicas) {
      throw violation(header, `${name} with ${folded} replicas in it, expected the total of ${membership.replicas}`);
    }
    if (this.#hasTotal[block] === true) throw violation(header, `${name}, expected nothing more: sent twice`);
    if (payload.byteLength !== size)
      throw violation(header, `${name} with ${payload.byteLength} bytes, expected ${size}`);
    if (block >= this.#nextBlock) throw violation(header, `${name} before this worker's gradients were sent`);
    folder.store(block, exchange.sequence, payload);
    this.#hasTotal[block] = true;
    this.#outstandingBytes -= this.#windowBytes(block);
  }

  /** At least 1, so that a window without a byte in it is one without a block. */
  #windowBytes(block: number): number {
    const { arc } = this.#options;
    return Math.max(1, (this.#gradientBytes[block] ?? 0) * (arc.to - arc.from));
  }
}
