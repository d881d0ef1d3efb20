import { RingstrasseError } from "../../shared/failure.js";
import type { RingFrame, RingTransport } from "../transport/ring-transport.js";
import type { Membership } from "./collective.js";
import { decodeHeader, encodeHeader, type FrameHeader, layoutTag } from "./frame-header.js";

/** Of one frame. A frame is heard of when all of it has come: over a slow link that must not take as long as a worker may stand still. */
const PIECE_BYTES = 256 * 1024;

export interface RingGatherOptions {
  /** At least two workers. */
  readonly membership: Membership;
  /** Connected to the next worker. Stays the caller's. */
  readonly transport: RingTransport;
  /** Names what is exchanged, so that workers with different models refuse each other. */
  readonly layoutHash: string;
}

/** What every worker has of its own in one exchange. */
export interface GatheredParts {
  readonly sequence: number;
  /** Not changed by anybody any more: it is sent from its place. */
  readonly own: Uint8Array;
  /** Bytes of each worker's part, by rank. */
  readonly sizes: readonly number[];
}

export interface Gathered {
  /** By rank. */
  readonly parts: readonly Uint8Array[];
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Which piece of whose part, in a header's terms. */
type PiecePlace = Pick<FrameHeader, "sequence" | "block" | "folded">;
type ExpectedPiece = PiecePlace & Pick<FrameHeader, "payloadBytes">;

/**
 * All-gather round a ring: each worker sends its part to the next one, and passes on what it receives until everybody has all parts. N − 1
 * hops; every part crosses N − 1 links, so each worker sends the sum of the parts but one (Chan et al., "Collective communication",
 * 2007). In `frame-header.ts`' terms a part is the block of its owner's rank, in the phase `gathered`. Parts travel in pieces, each of which is
 * passed on as soon as it is there: so a part crosses several links in little more than the time for one.
 *
 * Every part received is a copy of its own, and own parts are new in each exchange; so nothing that may still be on its way is ever written
 * to, and no proof of arrival is needed. Frames come in one order only: from the previous worker its own part, then the one before, each
 * piece by piece.
 */
export class RingGather {
  readonly #options: RingGatherOptions;
  readonly #layout: bigint;
  readonly #previous: number;

  /** @throws RangeError for a ring of one, or a malformed hash */
  constructor(options: RingGatherOptions) {
    const { worldSize, rank } = options.membership;
    if (worldSize < 2) throw new RangeError(`a ring of ${worldSize} worker`);
    this.#options = options;
    this.#layout = layoutTag(options.layoutHash);
    this.#previous = (rank + worldSize - 1) % worldSize;
  }

  /** @throws the signal's reason when aborted. @throws RingstrasseError PROTOCOL_VIOLATION for what does not belong here */
  async gather({ sequence, own, sizes }: GatheredParts, signal: AbortSignal): Promise<Gathered> {
    const { rank, worldSize } = this.#options.membership;
    const parts = sizes.map((sizeBytes, owner) => (owner === rank ? own : new Uint8Array(sizeBytes)));
    let [sentBytes, receivedBytes] = [own.byteLength, 0];
    for (const [folded, piece] of piecesOf(own).entries()) this.#send({ sequence, block: rank, folded }, piece);
    for (let hop = 1; hop < worldSize; hop++) {
      const owner = (rank + worldSize - hop) % worldSize;
      const part = parts[owner] ?? new Uint8Array();
      // The next worker is the last one's owner: it has that part.
      const goesOn = hop < worldSize - 1;
      for (const [folded, piece] of piecesOf(part).entries()) {
        const place = { sequence, block: owner, folded };
        const frame = await this.#receive({ ...place, payloadBytes: piece.byteLength }, signal);
        piece.set(frame.payload);
        if (goesOn) this.#send(place, piece);
      }
      receivedBytes += part.byteLength;
      if (goesOn) sentBytes += part.byteLength;
    }
    return { parts, sentBytes, receivedBytes };
  }

  #send(place: PiecePlace, payload: Uint8Array): void {
    const { membership, transport } = this.#options;
    const { generation, rank: sender } = membership;
    const what = { ...place, generation, phase: "gathered", sender, layout: this.#layout } as const;
    transport.send({ header: encodeHeader({ ...what, payloadBytes: payload.byteLength }), payload });
  }

  /** The next frame of this generation. */
  async #receive(expected: ExpectedPiece, signal: AbortSignal): Promise<RingFrame> {
    const { membership, transport } = this.#options;
    const from = `worker rank ${this.#previous}`;
    for (;;) {
      const frame = await transport.receive(signal);
      const header = decodeHeader(frame.header, from);
      // Of a membership that is over: its sender did not know yet.
      if (header.generation < membership.generation) continue;
      const problem = this.#problemOf(header, frame.payload.byteLength, expected);
      if (problem !== null) throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
      return frame;
    }
  }

  #problemOf(header: FrameHeader, payloadBytes: number, expected: ExpectedPiece): string | null {
    const { generation } = this.#options.membership;
    const facts: readonly (readonly [string, unknown, unknown])[] = [
      ["generation", header.generation, generation],
      ["sender", header.sender, this.#previous],
      ["layout", header.layout.toString(16), this.#layout.toString(16)],
      ["exchange", header.sequence, expected.sequence],
      ["phase", header.phase, "gathered"],
      ["owner", header.block, expected.block],
      ["piece", header.folded, expected.folded],
      ["bytes announced", header.payloadBytes, expected.payloadBytes],
      ["bytes", payloadBytes, expected.payloadBytes],
    ];
    const wrong = facts.find(([, got, wanted]) => got !== wanted);
    if (wrong === undefined) return null;
    const [what, got, wanted] = wrong;
    return `a frame whose ${what} is ${String(got)}, expected ${String(wanted)}: frames were lost, or the workers exchange different things`;
  }
}

/** Views of a part, in order; of one without bytes too there is one, so that every part is waited for. */
function piecesOf(part: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(part.byteLength / PIECE_BYTES));
  return Array.from({ length: count }, (_, index) => part.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES));
}
