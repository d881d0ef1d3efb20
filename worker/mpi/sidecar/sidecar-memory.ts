import { RingstrasseError, toFailure } from "../../../shared/failure.js";
import type { SegmentPlace } from "../../../shared/protocol/control-message.js";
import { createSegment, SEGMENT_HEADER_BYTES, type SharedSegment } from "../../collective/shared-segment.js";
import { mpiUnavailable } from "../mpi-failure.js";
import { STATE_BYTES, UNDER_WAY } from "./sidecar-protocol.js";

const MEBIBYTE = 2 ** 20;
const SMALLEST_BYTES = 256;
/** Of which pieces up to a mebibyte are cut. */
const SEGMENT_BYTES = 4 * MEBIBYTE;

/** Shared memory for one message. */
export interface SharedPiece {
  /** This process's file descriptor of the segment. */
  readonly segment: number;
  /** Of `bytes` in the segment's file. */
  readonly offset: number;
  /** At least as many as were asked for. Begins at a multiple of 64. */
  readonly bytes: Uint8Array;
  /** One word, at first `UNDER_WAY`: whether MPI has done with `bytes`. */
  readonly state: Int32Array;
}

/**
 * Memory that a sidecar shares with one thread, in pieces that are used again and again. It grows to what is under way at one time, and
 * is given back when the process ends: MPI may still read or write it.
 */
export class SidecarMemory {
  readonly #announce: (segment: number) => void;
  /** By size. */
  readonly #free = new Map<number, SharedPiece[]>();
  /** Pieces of receives that were given up: free once MPI has done with them. */
  #abandoned: SharedPiece[] = [];
  #segment: { readonly fd: number; readonly bytes: Uint8Array } | null = null;
  #used = 0;

  /** @param announce tells the sidecar of a new segment, by this process's file descriptor, before any piece of it is used */
  constructor(announce: (segment: number) => void) {
    this.#announce = announce;
  }

  /** @throws RingstrasseError COLLECTIVE_UNAVAILABLE when the machine has no more memory */
  take(sizeBytes: number): SharedPiece {
    if (this.#abandoned.length > 0) this.#reclaim();
    const size = pieceBytes(sizeBytes);
    const piece = this.#free.get(size)?.pop() ?? this.#cut(size);
    Atomics.store(piece.state, 0, UNDER_WAY);
    return piece;
  }

  /** MPI has done with it, and so has the caller. */
  give(piece: SharedPiece): void {
    const size = piece.bytes.byteLength;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [piece]);
    else free.push(piece);
  }

  /** The caller has done with it; MPI has not. */
  abandon(piece: SharedPiece): void {
    this.#abandoned.push(piece);
  }

  #reclaim(): void {
    const isFree = ({ state }: SharedPiece): boolean => Atomics.load(state, 0) !== UNDER_WAY;
    const freed = this.#abandoned.filter(isFree);
    if (freed.length === 0) return;
    this.#abandoned = this.#abandoned.filter((piece) => !freed.includes(piece));
    for (const piece of freed) this.give(piece);
  }

  #cut(size: number): SharedPiece {
    const needed = STATE_BYTES + size;
    if (needed > SEGMENT_BYTES / 4) return pieceOf(this.#open(needed), 0, size);
    if (this.#segment === null || this.#used + needed > this.#segment.bytes.byteLength) {
      this.#segment = this.#open(SEGMENT_BYTES);
      this.#used = 0;
    }
    const piece = pieceOf(this.#segment, this.#used, size);
    this.#used += needed;
    return piece;
  }

  #open(sizeBytes: number): { readonly fd: number; readonly bytes: Uint8Array } {
    const segment = segmentForMpi(sizeBytes);
    const fd = descriptorOf(segment.place);
    this.#announce(fd);
    return { fd, bytes: segment.bytes };
  }
}

/** Zeroed memory for a sidecar. @throws RingstrasseError COLLECTIVE_UNAVAILABLE */
export function segmentForMpi(sizeBytes: number): SharedSegment {
  try {
    return createSegment(sizeBytes);
  } catch (cause) {
    const failure = toFailure(cause);
    if (!(cause instanceof RingstrasseError) || !("problem" in failure)) throw cause;
    const remedy = "Free memory on this host, or let the rank call MPI itself: --mpi-binding ffi";
    throw mpiUnavailable(`the memory that a rank shares with its MPI sidecar: ${failure.problem}`, remedy, cause);
  }
}

/** This process's own file descriptor of a segment that it has created: the last part of `/proc/PID/fd/FD`. */
export function descriptorOf({ path }: SegmentPlace): number {
  return Number(path.split("/").at(-1));
}

function pieceOf(
  segment: { readonly fd: number; readonly bytes: Uint8Array },
  from: number,
  size: number,
): SharedPiece {
  const { buffer, byteOffset } = segment.bytes;
  return {
    segment: segment.fd,
    offset: SEGMENT_HEADER_BYTES + from + STATE_BYTES,
    bytes: segment.bytes.subarray(from + STATE_BYTES, from + STATE_BYTES + size),
    state: new Int32Array(buffer, byteOffset + from, 1),
  };
}

/** Few sizes, so that pieces fit again: powers of two, and whole mebibytes. */
function pieceBytes(sizeBytes: number): number {
  if (sizeBytes > MEBIBYTE) return Math.ceil(sizeBytes / MEBIBYTE) * MEBIBYTE;
  return 2 ** Math.ceil(Math.log2(Math.max(sizeBytes, SMALLEST_BYTES)));
}
