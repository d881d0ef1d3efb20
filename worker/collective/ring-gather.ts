import { RingstrasseError } from "../../shared/failure.js";
import type { RingFrame, RingTransport } from "../transport/ring-transport.js";
import type { Membership } from "./collective.js";
import { decodeHeader, encodeHeader, type FrameHeader, layoutTag } from "./frame-header.js";

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

/**
 * All-gather round a ring: each worker sends its part to the next one, and passes on what it receives until everybody has all parts. N − 1
 * hops; every part crosses N − 1 links, so each worker sends the sum of the parts but one (Chan et al., "Collective communication",
 * 2007). In `frame-header.ts`' terms a part is the block of its owner's rank, in the phase `gathered`.
 *
 * Every part received is a copy of its own, and own parts are new in each exchange; so nothing that may still be on its way is ever written
 * to, and no proof of arrival is needed. Frames come in one order only: from the previous worker its own part, then the one before.
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
    const parts = sizes.map((_, owner) => (owner === rank ? own : new Uint8Array()));
    let [sentBytes, receivedBytes] = [own.byteLength, 0];
    this.#send(sequence, rank, own);
    for (let hop = 1; hop < worldSize; hop++) {
      const owner = (rank + worldSize - hop) % worldSize;
      const frame = await this.#receive({ sequence, block: owner, payloadBytes: sizes[owner] ?? 0 }, signal);
      const part = Uint8Array.from(frame.payload);
      parts[owner] = part;
      receivedBytes += part.byteLength;
      // The next worker is the last one's owner: it has that part.
      if (hop === worldSize - 1) break;
      this.#send(sequence, owner, part);
      sentBytes += part.byteLength;
    }
    return { parts, sentBytes, receivedBytes };
  }

  #send(sequence: number, owner: number, payload: Uint8Array): void {
    const { membership, transport } = this.#options;
    const { generation, rank, replicas } = membership;
    const what = { generation, sequence, block: owner, phase: "gathered", folded: replicas } as const;
    const header = encodeHeader({ ...what, payloadBytes: payload.byteLength, sender: rank, layout: this.#layout });
    transport.send({ header, payload });
  }

  /** The next frame of this generation. */
  async #receive(
    expected: Pick<FrameHeader, "sequence" | "block" | "payloadBytes">,
    signal: AbortSignal,
  ): Promise<RingFrame> {
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

  #problemOf(
    header: FrameHeader,
    payloadBytes: number,
    expected: Pick<FrameHeader, "sequence" | "block" | "payloadBytes">,
  ): string | null {
    const { generation } = this.#options.membership;
    const facts: readonly (readonly [string, unknown, unknown])[] = [
      ["generation", header.generation, generation],
      ["sender", header.sender, this.#previous],
      ["layout", header.layout.toString(16), this.#layout.toString(16)],
      ["exchange", header.sequence, expected.sequence],
      ["phase", header.phase, "gathered"],
      ["owner", header.block, expected.block],
      ["bytes announced", header.payloadBytes, expected.payloadBytes],
      ["bytes", payloadBytes, expected.payloadBytes],
    ];
    const wrong = facts.find(([, got, wanted]) => got !== wanted);
    if (wrong === undefined) return null;
    const [what, got, wanted] = wrong;
    return `a frame whose ${what} is ${String(got)}, expected ${String(wanted)}: frames were lost, or the workers exchange different things`;
  }
}
