import { RingstrasseError } from "../../shared/failure.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { ExchangeBuffers } from "../collective/collective.js";
import { type WindowPlaces, windowPlaces } from "../collective/exchange-window.js";
import { mapWindow } from "../collective/mapped-window.js";
import { createSegment, openSegment, SEGMENT_HEADER_BYTES, type SharedSegment } from "../collective/shared-segment.js";
import { type MemorySpan, MirrorPlan } from "../transport/mirror-plan.js";
import type { RingPlan } from "./thread-messages.js";

const FLOAT32_BYTES = 4;
/** Whose segment holds the window of all. */
const WINDOW_RANK = 0;

/**
 * The memory that a worker shares with others in one generation: a segment of its own, and what it has opened of others. The segment of rank
 * 0 begins with the window of the whole group, where the plan's collectives need one; behind it, or at once, lies the mirror for the next worker.
 */
export class RingMemory implements Disposable {
  /** What the next worker of this host reads: the sums. */
  readonly mirror: MirrorPlan;
  readonly #plan: RingPlan;
  readonly #window: WindowPlaces | null;
  readonly #own: SharedSegment | null;
  readonly #opened: Disposable[] = [];

  /** @throws RingstrasseError COLLECTIVE_UNAVAILABLE when the machine doesn't give the memory that the plan's collectives need */
  constructor(plan: RingPlan) {
    this.#plan = plan;
    this.mirror = mirrorOfSums(plan);
    this.#window = windowOf(plan);
    const { collectives, sharesMemory, membership } = plan;
    const mirrors = collectives.includes("hierarchical") && sharesMemory.withNext;
    const sizeBytes = this.#mirrorAt(membership.rank) + (mirrors ? this.mirror.sizeBytes : 0);
    this.#own = sizeBytes === 0 ? null : createSegment(sizeBytes);
  }

  /** Where others find this worker's segment; null: it shares none. */
  get place(): SegmentPlace | null {
    return this.#own?.place ?? null;
  }

  /** What this worker shares with the next one alone; null: nothing. */
  get outgoing(): Uint8Array | null {
    return this.#own?.bytes.subarray(this.#mirrorAt(this.#plan.membership.rank)) ?? null;
  }

  /**
   * Puts the group's window in its place in this worker's memory; null: the plan's collectives need none.
   * @param places by rank
   * @throws RingstrasseError COLLECTIVE_UNAVAILABLE, PROTOCOL_VIOLATION
   */
  mapWindow(places: readonly (SegmentPlace | null)[]): WindowPlaces | null {
    if (this.#window === null) return null;
    const place = this.#needed(places, WINDOW_RANK, this.#window.sizeBytes - SEGMENT_HEADER_BYTES);
    this.#opened.push(mapWindow(place, this.#plan.memory, this.#window));
    return this.#window;
  }

  /** What the previous worker shares; null when that is on another host. @throws like {@link mapWindow} */
  openIncoming(places: readonly (SegmentPlace | null)[]): Uint8Array | null {
    const { membership, sharesMemory } = this.#plan;
    if (!sharesMemory.withPrevious) return null;
    const rank = (membership.rank + membership.worldSize - 1) % membership.worldSize;
    const from = this.#mirrorAt(rank);
    const segment = openSegment(this.#needed(places, rank, from + this.mirror.sizeBytes));
    this.#opened.push(segment);
    return segment.bytes.subarray(from);
  }

  /** Nobody may read or write what is shared any more. */
  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
    for (const one of this.#opened) one[Symbol.dispose]();
    this.#opened.length = 0;
  }

  #mirrorAt(rank: number): number {
    return rank === WINDOW_RANK && this.#window !== null ? this.#window.sizeBytes - SEGMENT_HEADER_BYTES : 0;
  }

  #needed(places: readonly (SegmentPlace | null)[], rank: number, neededBytes: number): SegmentPlace {
    const place = places[rank];
    if (place != null && place.sizeBytes >= neededBytes) return place;
    const problem = `rank ${rank} shares ${place?.sizeBytes ?? 0} bytes, ${neededBytes} are needed`;
    throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem });
  }
}

function windowOf({ collectives, window, buffers, membership }: RingPlan): WindowPlaces | null {
  if (!collectives.includes("shm")) return null;
  if (window === null) throw new RangeError("shared memory needs a window");
  return windowPlaces({ ...buffers, replicas: membership.replicas }, window);
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
