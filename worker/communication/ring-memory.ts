import { arcOf } from "../../shared/epoch-plan.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { ExchangeBuffers } from "../collective/collective.js";
import { segmentSizeBytes } from "../collective/shared-gradients.js";
import { createSegment, openSegment, type SharedSegment } from "../collective/shared-segment.js";
import { type MemorySpan, MirrorPlan } from "../transport/mirror-plan.js";
import type { RingPlan } from "./thread-messages.js";

const FLOAT32_BYTES = 4;

/** The memory that a worker shares with others in one generation: a segment of its own, and those of others that it has opened. */
export class RingMemory implements Disposable {
  /** What the next worker of this host reads: the sums. */
  readonly mirror: MirrorPlan;
  readonly #plan: RingPlan;
  readonly #own: SharedSegment | null;
  readonly #opened: SharedSegment[] = [];

  /** @throws RingstrasseError COLLECTIVE_UNAVAILABLE when the machine doesn't give the memory that the plan's collectives need */
  constructor(plan: RingPlan) {
    this.#plan = plan;
    this.mirror = mirrorOfSums(plan);
    const sizeBytes = this.#sizeBytes();
    this.#own = sizeBytes === 0 ? null : createSegment(sizeBytes);
  }

  /** Where others find this worker's segment; null: it shares none. */
  get place(): SegmentPlace | null {
    return this.#own?.place ?? null;
  }

  /** Bytes of this worker's segment; null: it shares none. */
  get own(): Uint8Array | null {
    return this.#own?.bytes ?? null;
  }

  /** The segments of all workers, by rank. @throws RingstrasseError COLLECTIVE_UNAVAILABLE, PROTOCOL_VIOLATION */
  ofAll(places: readonly (SegmentPlace | null)[]): Uint8Array[] {
    const { membership, buffers } = this.#plan;
    const { worldSize, replicas } = membership;
    return Array.from({ length: worldSize }, (_, rank) => {
      if (rank === membership.rank && this.#own !== null) return this.#own.bytes;
      const arc = arcOf(rank, worldSize, replicas);
      return this.#open(places[rank], rank, segmentSizeBytes(buffers, arc.to - arc.from));
    });
  }

  /** The segment of the previous worker; null when that is on another host. @throws like {@link ofAll} */
  ofPrevious(places: readonly (SegmentPlace | null)[]): Uint8Array | null {
    const { membership, sharesMemory } = this.#plan;
    if (!sharesMemory.withPrevious) return null;
    const rank = (membership.rank + membership.worldSize - 1) % membership.worldSize;
    return this.#open(places[rank], rank, this.mirror.sizeBytes);
  }

  /** Nobody may read or write the segments any more. */
  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
    for (const segment of this.#opened) segment[Symbol.dispose]();
    this.#opened.length = 0;
  }

  #sizeBytes(): number {
    const { collectives, sharesMemory, buffers } = this.#plan;
    const sizes = collectives.map((collective) => {
      if (collective === "shm") return segmentSizeBytes(buffers, buffers.gradients.length);
      return collective === "hierarchical" && sharesMemory.withNext ? this.mirror.sizeBytes : 0;
    });
    return Math.max(...sizes);
  }

  #open(place: SegmentPlace | null | undefined, rank: number, neededBytes: number): Uint8Array {
    if (place === null || place === undefined || place.sizeBytes < neededBytes) {
      const problem = `rank ${rank} shares ${place?.sizeBytes ?? 0} bytes, ${neededBytes} are needed`;
      throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem });
    }
    const opened = openSegment(place);
    this.#opened.push(opened);
    return opened.bytes;
  }
}

function mirrorOfSums({ memory, buffers }: Pick<RingPlan, "memory" | "buffers">): MirrorPlan {
  return new MirrorPlan(memory, sumSpans(buffers));
}

/** Where all payloads of a ring but the scalars lie: as float32, or packed to half of that. */
export function sumSpans({ sums, blocks, packed }: Pick<ExchangeBuffers, "sums" | "blocks" | "packed">): MemorySpan[] {
  const sizeBytes = blocks.paddedLength * FLOAT32_BYTES;
  const spans = [...new Set(sums)].map((address) => ({ address, sizeBytes }));
  if (packed === undefined) return spans;
  return [...spans, ...packed.sums.map((address) => ({ address, sizeBytes: sizeBytes / 2 }))];
}
