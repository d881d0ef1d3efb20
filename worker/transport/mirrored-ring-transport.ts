import { RingstrasseError } from "../../shared/failure.js";
import type { MirrorPlan } from "./mirror-plan.js";
import type { Landing, RingFrame, RingTransport } from "./ring-transport.js";

/** Behind the header of every frame: where the payload lies (8 bytes, −1: in the frame itself) and its length (4). */
const PLACE_BYTES = 12;
const IN_THE_FRAME = -1n;
/** A socket takes less time for fewer bytes than two copies and a look at another place. */
const SMALL_BYTES = 4096;

export interface MirroredRingOptions {
  /** Carries headers, and the payloads that are not mirrored. Stays the caller's, and so does what it is disposed of. */
  readonly link: RingTransport;
  /** Memory that the next worker reads; null: it is on another host. */
  readonly outgoing: { readonly plan: MirrorPlan; readonly bytes: Uint8Array } | null;
  /** The memory that the previous worker writes; null: it is on another host. */
  readonly incoming: Uint8Array | null;
}

/**
 * A ring link whose payloads go through memory that this worker shares with the next one, where they share any: `send` copies the
 * payload to the place that mirrors its own (mirror-plan.ts) and sends header and place over the link; the receiver reads it there.
 * Small payloads, those from elsewhere, and all that go to another host travel in the frame, as over the link alone.
 *
 * **Why nothing else keeps sender and receiver apart.** The contract of a link is that a payload's bytes do not change before the peer
 * has received them. A mirrored place is written only when a payload is sent from the same address again, and by then
 * the peer has received the last one from there: whoever keeps the contract for the address keeps it for its mirror. The link's
 * send and receive order the memory accesses before and after them, so that no atomics are needed.
 */
export class MirroredRingTransport implements RingTransport {
  readonly #options: MirroredRingOptions;

  constructor(options: MirroredRingOptions) {
    this.#options = options;
  }

  get endpoint(): string {
    return this.#options.link.endpoint;
  }

  connect(next: string): void {
    this.#options.link.connect(next);
  }

  send({ header, payload }: RingFrame): void {
    const { link, outgoing } = this.#options;
    const place = payload.byteLength < SMALL_BYTES ? null : (outgoing?.plan.placeOf(payload) ?? null);
    if (place === null || outgoing === null) {
      link.send({ header: withPlace(header, IN_THE_FRAME, payload.byteLength), payload });
      return;
    }
    outgoing.bytes.set(payload, place);
    link.send({ header: withPlace(header, BigInt(place), payload.byteLength), payload: new Uint8Array() });
  }

  /** @throws RingstrasseError as the link does, and PROTOCOL_VIOLATION for a place outside the shared memory. */
  async receive(signal: AbortSignal, landing?: Landing): Promise<RingFrame> {
    const frame = await this.#options.link.receive(signal, behindPlace(landing));
    const headerBytes = frame.header.byteLength - PLACE_BYTES;
    if (headerBytes < 0) throw this.#violation(`a frame header of ${frame.header.byteLength} bytes: it names no place`);
    const view = new DataView(frame.header.buffer, frame.header.byteOffset, frame.header.byteLength);
    const header = frame.header.subarray(0, headerBytes);
    const place = view.getBigInt64(headerBytes);
    if (place === IN_THE_FRAME) return { header, payload: frame.payload };
    return { header, payload: this.#mirrored(Number(place), view.getUint32(headerBytes + 8)) };
  }

  /** The link is the caller's. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #mirrored(place: number, sizeBytes: number): Uint8Array {
    const { incoming } = this.#options;
    if (incoming === null) throw this.#violation("a payload in memory that is not shared with this worker");
    if (place < 0 || place + sizeBytes > incoming.byteLength) {
      throw this.#violation(`a payload at ${place}..${place + sizeBytes} of ${incoming.byteLength} shared bytes`);
    }
    return incoming.subarray(place, place + sizeBytes);
  }

  #violation(problem: string): RingstrasseError {
    return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: `whoever sends to ${this.endpoint}`, problem });
  }
}

/** For payloads in the frame; a header too short for a place is refused when the frame is there. */
function behindPlace(landing: Landing | undefined): Landing | undefined {
  if (landing === undefined) return undefined;
  return (header, payloadBytes) => {
    const headerBytes = header.byteLength - PLACE_BYTES;
    return headerBytes < 0 || payloadBytes === 0 ? null : landing(header.subarray(0, headerBytes), payloadBytes);
  };
}

function withPlace(header: Uint8Array, place: bigint, sizeBytes: number): Uint8Array {
  const placed = new Uint8Array(header.byteLength + PLACE_BYTES);
  placed.set(header);
  const view = new DataView(placed.buffer);
  view.setBigInt64(header.byteLength, place);
  view.setUint32(header.byteLength + 8, sizeBytes);
  return placed;
}
