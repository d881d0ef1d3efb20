import { type BlockPlan, blockSpan } from "../../shared/arena-layout.js";
import type { AddressableMemory } from "../collective/block-folder.js";
import { CLIENT_WINDOW_BYTES } from "../collective/client-exchange.js";
import { type AsyncFrames, asyncFrameName, type CheckedAsyncFrame, unexpected } from "./async-frames.js";
import type { AsyncParameters, ScalarSum } from "./async-parameters.js";
import {
  bytesOf,
  decodeGrant,
  encodeTerms,
  type Grant,
  NOTHING_SERVED,
  numbersOf,
  type PushPull,
  type PushPullReport,
} from "./push-pull.js";

const FLOAT32_BYTES = 4;
const NOTHING = new Uint8Array(0);

export interface AsyncClientOptions {
  readonly frames: AsyncFrames;
  readonly blocks: BlockPlan;
  /** What addresses in requests refer to. */
  readonly memory: AddressableMemory;
  /** The rank that has the parameters. */
  readonly server: number;
}

/**
 * The parameters, as a worker reaches them that hasn't got them: asks for its turn, then sends its gradients block by block and gets each
 * block back as the update has made it, as far ahead as the window lets it. A push alone would be as many bytes; so would a pull.
 */
export class AsyncClient implements AsyncParameters {
  readonly #options: AsyncClientOptions;
  #calls = 0;

  constructor(options: AsyncClientOptions) {
    this.#options = options;
  }

  async pushPull(request: PushPull, signal: AbortSignal): Promise<PushPullReport> {
    const { frames, server } = this.#options;
    const startMs = performance.now();
    const { sentBytes, receivedBytes } = frames;
    const sequence = this.#calls++;
    frames.send(server, { phase: "ask", sequence, payload: encodeTerms(request) });
    const grant = this.#granted(await this.#receive("grant", sequence, signal));
    await this.#swapBlocks(request, sequence, signal);
    return {
      ...grant,
      sentBytes: frames.sentBytes - sentBytes,
      receivedBytes: frames.receivedBytes - receivedBytes,
      elapsedMs: performance.now() - startMs,
      served: NOTHING_SERVED,
    };
  }

  async sum(values: Float64Array, signal: AbortSignal): Promise<ScalarSum> {
    const { frames, server } = this.#options;
    const sequence = this.#calls++;
    const payload = bytesOf([...values]);
    frames.send(server, { phase: "partial", sequence, payload });
    const frame = await this.#receive("total", sequence, signal);
    const totals = numbersOf(frame.payload, values.length);
    if (totals === null) throw unexpected(frame, `${asyncFrameName(frame)}, expected ${payload.byteLength}`);
    return { totals, sentBytes: payload.byteLength, receivedBytes: frame.payload.byteLength };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #swapBlocks(request: PushPull, sequence: number, signal: AbortSignal): Promise<void> {
    const { frames, blocks, memory, server } = this.#options;
    let sent = 0;
    let outstandingBytes = 0;
    for (let got = 0; got < blocks.blockCount; got++) {
      while (
        sent < blocks.blockCount &&
        (sent === got || outstandingBytes + this.#bytes(sent) <= CLIENT_WINDOW_BYTES)
      ) {
        const payload = request.count === 0 ? NOTHING : this.#view(request.gradients, sent);
        frames.send(server, { phase: "gradient", sequence, block: sent, payload });
        outstandingBytes += this.#bytes(sent++);
      }
      const frame = await this.#receive("parameters", sequence, signal);
      if (frame.block !== got || frame.payload.byteLength !== this.#bytes(got)) {
        throw unexpected(frame, `${asyncFrameName(frame)}, expected block ${got} with ${this.#bytes(got)}`);
      }
      new Uint8Array(memory.buffer).set(frame.payload, request.into + this.#offset(got));
      outstandingBytes -= this.#bytes(got);
    }
  }

  #granted(frame: CheckedAsyncFrame): Grant {
    const grant = decodeGrant(frame.payload);
    if (grant === null) throw unexpected(frame, `${asyncFrameName(frame)}: no grant is so long`);
    return grant;
  }

  async #receive(phase: CheckedAsyncFrame["phase"], sequence: number, signal: AbortSignal): Promise<CheckedAsyncFrame> {
    const frame = await this.#options.frames.receive(signal);
    if (frame.phase === phase && frame.sequence === sequence && frame.sender === this.#options.server) return frame;
    throw unexpected(frame, `${asyncFrameName(frame)}, expected ${phase} in call ${sequence}`);
  }

  #view(arena: number, block: number): Uint8Array {
    return new Uint8Array(this.#options.memory.buffer, arena + this.#offset(block), this.#bytes(block));
  }

  #offset(block: number): number {
    return blockSpan(this.#options.blocks, block).from * FLOAT32_BYTES;
  }

  #bytes(block: number): number {
    const { from, to } = blockSpan(this.#options.blocks, block);
    return (to - from) * FLOAT32_BYTES;
  }
}
