import { RingstrasseError } from "../../shared/failure.js";
import type { RingFrame } from "../transport/ring-transport.js";
import type { StarTransport } from "../transport/star-transport.js";
import type { Exchange, Membership } from "./collective.js";
import { decodeHeader, encodeHeader, type FrameHeader } from "./frame-header.js";

export interface StarFramesOptions {
  readonly membership: Membership;
  readonly exchange: Pick<Exchange, "sequence">;
  readonly transport: StarTransport;
  /** See `layoutTag`. */
  readonly layout: bigint;
  /** Frames that the exchange brings here. */
  readonly expectedFrames: number;
}

/** A frame of this exchange, sent by a member of this generation who holds the same model. */
export interface CheckedFrame {
  readonly header: FrameHeader;
  /** Valid until the next one is asked for. */
  readonly payload: Uint8Array;
}

/** What a block's frame says of itself, beside what every frame of the exchange does. */
export type BlockFrame = Pick<FrameHeader, "block" | "phase" | "folded">;

/**
 * The frames of one exchange over a star, on one worker: writes their headers, holds those that come against what is due, and counts both.
 */
export class StarFrames {
  /** Frames of an older generation that were dropped. */
  stale = 0;
  receivedFrames = 0;
  receivedBytes = 0;
  sentBytes = 0;
  readonly #options: StarFramesOptions;

  constructor(options: StarFramesOptions) {
    this.#options = options;
  }

  get areMissing(): boolean {
    return this.receivedFrames < this.#options.expectedFrames;
  }

  /** `payload` is read where it lies: see `StarTransport.send`. */
  send(rank: number, { block, phase, folded }: BlockFrame, payload: Uint8Array): void {
    const { membership, exchange, layout, transport } = this.#options;
    const payloadBytes = payload.byteLength;
    const common = { generation: membership.generation, sequence: exchange.sequence, sender: membership.rank, layout };
    transport.send(rank, { header: encodeHeader({ ...common, block, phase, folded, payloadBytes }), payload });
    this.sentBytes += payloadBytes;
  }

  /**
   * The next frame that belongs here.
   * @param senders ranks that may send to this one
   * @throws the signal's reason when aborted. @throws RingstrasseError PROTOCOL_VIOLATION, ENDPOINT_UNAVAILABLE
   */
  async receive(senders: readonly number[], signal: AbortSignal): Promise<CheckedFrame> {
    for (;;) {
      const frame = await this.#options.transport.receive(signal);
      const checked = this.#check(frame, senders);
      if (checked === null) continue;
      this.receivedFrames++;
      this.receivedBytes += checked.header.payloadBytes;
      return checked;
    }
  }

  /** @returns null for a frame of an older generation */
  #check({ header: bytes, payload }: RingFrame, senders: readonly number[]): CheckedFrame | null {
    const header = decodeHeader(bytes, "a worker of the star");
    const { generation } = this.#options.membership;
    if (header.generation < generation) {
      this.stale++;
      return null;
    }
    const problem =
      this.#strangerProblem(header, senders) ?? this.#sequenceProblem(header) ?? sizeProblem(header, payload);
    if (problem !== null) throw violation(header, problem);
    return { header, payload };
  }

  #strangerProblem({ generation, layout, sender }: FrameHeader, senders: readonly number[]): string | null {
    const { membership, layout: own } = this.#options;
    if (generation !== membership.generation) {
      return `a frame of generation ${generation} in generation ${membership.generation}`;
    }
    if (!senders.includes(sender)) {
      return `a frame sent by rank ${sender} to rank ${membership.rank}: the star is not connected as planned`;
    }
    if (layout === own) return null;
    const [theirs, ours] = [layout, own].map((tag) => tag.toString(16).padStart(16, "0"));
    return `its layout hash begins with ${theirs}, here with ${ours}: the workers hold different models or cuts`;
  }

  #sequenceProblem({ sequence }: FrameHeader): string | null {
    const { exchange, expectedFrames } = this.#options;
    if (sequence === exchange.sequence) return null;
    const missing = `${expectedFrames - this.receivedFrames} of ${expectedFrames} frames`;
    return sequence > exchange.sequence
      ? `a frame of exchange ${sequence} while ${missing} of exchange ${exchange.sequence} are missing: frames were lost, or the workers disagree on the step`
      : `a frame of exchange ${sequence} in exchange ${exchange.sequence}: sent twice, or too late`;
  }
}

/** What came from a peer and can't be: names the peer. */
export function violation({ sender }: Pick<FrameHeader, "sender">, problem: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: `worker rank ${sender}`, problem });
}

/** For messages. */
export function frameName({ phase, block, sequence }: FrameHeader): string {
  return `${phase} of block ${block} in exchange ${sequence}`;
}

function sizeProblem(header: FrameHeader, { byteLength }: Uint8Array): string | null {
  if (header.payloadBytes === byteLength) return null;
  return `${frameName(header)} with ${byteLength} bytes where ${header.payloadBytes} were announced`;
}
