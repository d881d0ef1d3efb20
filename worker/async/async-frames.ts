import { RingstrasseError } from "../../shared/failure.js";
import type { Membership } from "../collective/collective.js";
import { decodeHeader, encodeHeader, type FrameHeader, type FramePhase } from "../collective/frame-header.js";
import type { RingFrame } from "../transport/ring-transport.js";
import type { StarTransport } from "../transport/star-transport.js";

export interface AsyncFramesOptions {
  readonly membership: Membership;
  readonly transport: StarTransport;
  /** See `layoutTag`. */
  readonly layout: bigint;
}

/** A frame without what is the same in all that a worker sends. */
export interface AsyncFrame {
  readonly phase: FramePhase;
  /** Of the sender's calls of the parameters, or of the one that is answered. */
  readonly sequence: number;
  /** Of gradients and parameters: as in the arena. */
  readonly block?: number;
  readonly payload: Uint8Array;
}

export type CheckedAsyncFrame = Required<AsyncFrame> & { readonly sender: number };

/** Writes and checks the headers of an asynchronous job's frames, and counts what they carry. */
export class AsyncFrames {
  sentBytes = 0;
  receivedBytes = 0;
  readonly #options: AsyncFramesOptions;

  constructor(options: AsyncFramesOptions) {
    this.#options = options;
  }

  /** `payload` is read where it lies: see `StarTransport.send`. */
  send(rank: number, { phase, sequence, block = 0, payload }: AsyncFrame): void {
    const { membership, transport, layout } = this.#options;
    const { generation, rank: sender } = membership;
    const payloadBytes = payload.byteLength;
    const header = encodeHeader({ generation, sequence, block, phase, folded: 1, payloadBytes, sender, layout });
    transport.send(rank, { header, payload });
    this.sentBytes += payloadBytes;
  }

  /**
   * The next frame of this generation. Its payload is valid until the next one is asked for.
   * @throws the signal's reason when aborted. @throws RingstrasseError PROTOCOL_VIOLATION, ENDPOINT_UNAVAILABLE
   */
  async receive(signal: AbortSignal): Promise<CheckedAsyncFrame> {
    for (;;) {
      const frame = await this.#options.transport.receive(signal);
      const checked = this.#checked(frame);
      if (checked === null) continue;
      this.receivedBytes += checked.payload.byteLength;
      return checked;
    }
  }

  #checked({ header: bytes, payload }: RingFrame): CheckedAsyncFrame | null {
    const header = decodeHeader(bytes, "a worker of the star");
    const { membership } = this.#options;
    if (header.generation < membership.generation) return null;
    const problem = this.#problemOf(header, payload);
    if (problem !== null) throw unexpected(header, problem);
    const { phase, sequence, block, sender } = header;
    return { phase, sequence, block, sender, payload };
  }

  #problemOf({ generation, layout, payloadBytes }: FrameHeader, { byteLength }: Uint8Array): string | null {
    const { membership, layout: own } = this.#options;
    if (generation !== membership.generation) {
      return `a frame of generation ${generation} in generation ${membership.generation}`;
    }
    if (layout !== own) {
      const [theirs, ours] = [layout, own].map((tag) => tag.toString(16).padStart(16, "0"));
      return `its layout hash begins with ${theirs}, here with ${ours}: the workers hold different models or cuts`;
    }
    return payloadBytes === byteLength ? null : `a frame of ${byteLength} bytes where ${payloadBytes} were announced`;
  }
}

/** What came from a peer and can't be: names the peer. */
export function unexpected({ sender }: { readonly sender: number }, problem: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: `worker rank ${sender}`, problem });
}

/** For messages. */
export function asyncFrameName({ phase, sequence, block, payload }: CheckedAsyncFrame): string {
  return `${phase} of block ${block} in call ${sequence}, ${payload.byteLength} bytes`;
}
