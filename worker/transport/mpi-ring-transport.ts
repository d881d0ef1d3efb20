import { setImmediate as nextTurn } from "node:timers/promises";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import type { Mpi, MpiRequest } from "../mpi/mpi.js";
import { Patience } from "../mpi/patience.js";
import { linkClosed } from "./link-failure.js";
import type { Landing, RingFrame, RingTransport } from "./ring-transport.js";

/** Length of header (4) and payload (4), then the header, then the payload where it has room; big-endian. */
const ENVELOPE_BYTES = 256;
const LENGTHS_BYTES = 8;
/** Envelopes and payloads that may come before they are asked for: enough to keep a pipeline of blocks going. */
const SLOTS = 8;
/** Every `MPI_TAG_UB` is at least 32767; two tags a generation. */
const GENERATIONS = 16_000;
/** Payload handed out between two turns of the event loop, so that heartbeats stay on time. */
const BYTES_PER_TURN = 4 * 1024 * 1024;

export interface MpiRingOptions {
  readonly mpi: Mpi;
  /** Keeps frames of an older ring out. */
  readonly generation: number;
}

/** Memory for one frame that comes. */
interface Slot {
  readonly envelope: Buffer;
  arrival: MpiRequest;
  payload: Buffer;
  /** Null: it is in the envelope, or there. */
  payloadArrival: MpiRequest | null;
  frame: RingFrame | null;
}

/**
 * Ring link over MPI's point-to-point messages, from the rank before this one to the one after it. A frame is an envelope of fixed size
 * with a small payload in it, or followed by the payload, which MPI takes from where it lies and puts into memory of this transport's.
 *
 * MPI moves nothing unless it is called, so the reader asks again and again, and between two reads a loop does as long as something is being
 * sent. A frame costs about three calls of a microsecond. A payload may be read until the peer has it, as the contract says; it lands where the
 * reader says, so that MPI's copy is the only one.
 */
export class MpiRingTransport implements RingTransport {
  readonly endpoint: string;
  readonly #mpi: Mpi;
  readonly #previous: number;
  readonly #tag: number;
  /** In the order in which frames come. */
  readonly #slots: Slot[] = [];
  readonly #sending: { readonly request: MpiRequest; readonly envelope: Buffer; readonly payload: Uint8Array }[] = [];
  #next: number | null = null;
  /** What the reader holds until it asks for the next frame. */
  #handedOut: Slot | null = null;
  #handedOutBytes = 0;
  /** Of the `receive` under way. */
  #landing: Landing | null = null;
  #isReading = false;
  #isPumping = false;
  #end: RingstrasseError | null = null;

  /** @throws RingstrasseError COLLECTIVE_UNAVAILABLE */
  constructor({ mpi, generation }: MpiRingOptions) {
    this.#mpi = mpi;
    this.endpoint = `mpi://${mpi.rank}`;
    this.#previous = (mpi.rank + mpi.size - 1) % mpi.size;
    this.#tag = 2 * (generation % GENERATIONS);
    for (let slot = 0; slot < SLOTS; slot++) {
      const envelope = Buffer.allocUnsafeSlow(ENVELOPE_BYTES);
      this.#slots.push(this.#awaitEnvelope({ envelope, payload: Buffer.alloc(0) }));
    }
  }

  connect(next: string): void {
    const rank = /^mpi:\/\/(\d+)$/.exec(next)?.[1];
    if (rank === undefined || Number(rank) >= this.#mpi.size) {
      const problem = `it is not one of mpi://0 to mpi://${this.#mpi.size - 1}`;
      const remedy = "Give the endpoint that the next rank's transport names";
      throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint: next, problem, remedy });
    }
    this.#next = Number(rank);
  }

  send({ header, payload }: RingFrame): void {
    if (this.#next === null) throw new RangeError("send before connect");
    if (this.#end !== null) return;
    try {
      this.#send(header, payload, this.#next);
    } catch (thrown) {
      this.#close(thrown);
    }
    this.#pump();
  }

  async receive(signal: AbortSignal, landing?: Landing): Promise<RingFrame> {
    this.#reuse();
    this.#landing = landing ?? null;
    this.#isReading = true;
    try {
      const frame = await this.#arrival(signal);
      await this.#turnNowAndThen(frame.payload.byteLength);
      return frame;
    } finally {
      this.#isReading = false;
      this.#landing = null;
    }
  }

  /**
   * What has been sent and not yet received is left to MPI, and so is a payload that is just coming: their memory must stay, and may still be
   * written where a reader has said. A rank whose exchange has failed ends, so nobody uses it again.
   */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#end !== null) return Promise.resolve();
    this.#close(linkClosed(this.endpoint));
    for (const { arrival, payloadArrival, frame } of this.#slots) {
      if (frame === null) arrival.abandon();
      payloadArrival?.abandon();
    }
    this.#slots.length = 0;
    return Promise.resolve();
  }

  async #arrival(signal: AbortSignal): Promise<RingFrame> {
    const patience = new Patience();
    for (;;) {
      signal.throwIfAborted();
      do {
        if (this.#end !== null) throw this.#end;
        const frame = this.#asked();
        if (frame !== null) return frame;
      } while (patience.asksAgain());
      await patience.pause();
    }
  }

  /** The next frame, if all of it is there. */
  #asked(): RingFrame | null {
    try {
      this.#forgetSent();
      return this.#take();
    } catch (thrown) {
      this.#close(thrown);
      return null;
    }
  }

  #send(header: Uint8Array, payload: Uint8Array, to: number): void {
    const used = LENGTHS_BYTES + header.byteLength;
    if (used > ENVELOPE_BYTES) throw new RangeError(`a frame header of ${header.byteLength} bytes`);
    const envelope = Buffer.allocUnsafeSlow(ENVELOPE_BYTES);
    envelope.writeUInt32BE(header.byteLength, 0);
    envelope.writeUInt32BE(payload.byteLength, 4);
    envelope.set(header, LENGTHS_BYTES);
    const fits = used + payload.byteLength <= ENVELOPE_BYTES;
    if (fits) envelope.set(payload, used);
    this.#sending.push({ request: this.#mpi.send(envelope, to, this.#tag), envelope, payload });
    if (!fits) this.#sending.push({ request: this.#mpi.send(payload, to, this.#tag + 1), envelope, payload });
  }

  /** The memory of the frame handed out last can take another one. */
  #reuse(): void {
    const slot = this.#handedOut;
    this.#handedOut = null;
    if (slot !== null && this.#end === null) this.#slots.push(this.#awaitEnvelope(slot));
  }

  #awaitEnvelope({ envelope, payload }: Pick<Slot, "envelope" | "payload">): Slot {
    const arrival = this.#mpi.receive(envelope, this.#previous, this.#tag);
    return { envelope, arrival, payload, payloadArrival: null, frame: null };
  }

  #take(): RingFrame | null {
    const slot = this.#arrived();
    if (slot?.frame == null) return null;
    this.#slots.shift();
    this.#handedOut = slot;
    return slot.frame;
  }

  /** Opens the envelopes that have come, in their order, so that MPI knows early where to put what follows them. */
  #arrived(): Slot | null {
    for (const slot of this.#slots) {
      if (slot.frame !== null) continue;
      if (!slot.arrival.isDone()) break;
      this.#open(slot);
    }
    const [first] = this.#slots;
    if (first === undefined || first.frame === null) return null;
    if (first.payloadArrival !== null && !first.payloadArrival.isDone()) return null;
    first.payloadArrival = null;
    return first;
  }

  #open(slot: Slot): void {
    const { envelope } = slot;
    const headerBytes = envelope.readUInt32BE(0);
    const payloadBytes = envelope.readUInt32BE(4);
    const used = LENGTHS_BYTES + headerBytes;
    const header = envelope.subarray(LENGTHS_BYTES, used);
    if (used + payloadBytes <= ENVELOPE_BYTES) {
      slot.frame = { header, payload: envelope.subarray(used, used + payloadBytes) };
      return;
    }
    const payload = this.#landing?.(header, payloadBytes) ?? ownLanding(slot, payloadBytes);
    slot.payloadArrival = this.#mpi.receive(payload, this.#previous, this.#tag + 1);
    slot.frame = { header, payload };
  }

  #forgetSent(): void {
    while (this.#sending[0]?.request.isDone() === true) this.#sending.shift();
  }

  /** Sees to what is sent while nobody receives. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#untilSent().catch((thrown: unknown) => this.#close(thrown));
  }

  async #untilSent(): Promise<void> {
    const patience = new Patience();
    try {
      while (this.#end === null && this.#sending.length > 0) {
        // A reader asks for both, and must not be held up by naps of this loop's.
        if (this.#isReading) patience.reset();
        else this.#forgetSent();
        await patience.pause();
      }
    } finally {
      this.#isPumping = false;
    }
  }

  async #turnNowAndThen(bytes: number): Promise<void> {
    this.#handedOutBytes += bytes;
    if (this.#handedOutBytes < BYTES_PER_TURN) return;
    this.#handedOutBytes = 0;
    await nextTurn();
  }

  #close(thrown: unknown): void {
    this.#end ??=
      thrown instanceof RingstrasseError ? thrown : new RingstrasseError(toFailure(thrown), { cause: thrown });
  }
}

function ownLanding(slot: Slot, sizeBytes: number): Uint8Array {
  if (slot.payload.byteLength < sizeBytes) slot.payload = Buffer.allocUnsafeSlow(sizeBytes);
  return slot.payload.subarray(0, sizeBytes);
}
