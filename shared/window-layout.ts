import type { BlockPlan } from "./arena-layout.js";

const FLOAT32_BYTES = 4;
const FLOAT64_BYTES = 8;
/** Places begin at multiples of this. */
const ALIGNMENT = 64;
/** Of the segment that a window is; so that what follows is aligned for any kernel. */
export const WINDOW_HEADER_BYTES = 64;
/** Of a worker's place on the board: its word and two headers, each in cache lines of its own. */
const BOARD_PLACE_BYTES = 192;
/** Windows begin at multiples of this and are as long as multiples of it: the largest pages of any processor. */
const PAGE_BYTES = 65536;

export const WINDOW_ALIGNMENT = PAGE_BYTES;

/** What lies in a window. */
export interface WindowSizes {
  readonly blocks: BlockPlan;
  /** Float64 values of each scalar block. */
  readonly scalarCount: number;
  /** R. */
  readonly replicas: number;
}

/** Where everything lies, in bytes from the window's beginning. */
export interface WindowLayout {
  /** By rank. */
  readonly board: readonly number[];
  /** By replica, of the whole job. */
  readonly gradients: readonly number[];
  readonly scalars: readonly number[];
  readonly sums: readonly [number, number];
  readonly scalarSums: readonly [number, number];
  /** As far as the last place reaches. */
  readonly sizeBytes: number;
}

/**
 * Lays out the memory that all workers of a host share, and that each sees as a part of its own: the board of announcements, every replica's
 * gradients and scalars, and two sets of sums for all together. It begins with the header of the segment that it is. Pure; a function of
 * the job alone, so that all workers come to the same.
 */
export function windowLayout({ blocks, scalarCount, replicas }: WindowSizes): WindowLayout {
  let end = WINDOW_HEADER_BYTES;
  const place = (bytes: number): number => {
    const begin = end;
    end += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return begin;
  };
  const each = (bytes: number): number[] => Array.from({ length: replicas }, () => place(bytes));
  const pair = (bytes: number): [number, number] => [place(bytes), place(bytes)];
  const arenaBytes = blocks.paddedLength * FLOAT32_BYTES;
  const scalarBytes = scalarCount * FLOAT64_BYTES;
  // A worker has at least one replica.
  const board = each(BOARD_PLACE_BYTES);
  const gradients = each(arenaBytes);
  const scalars = each(scalarBytes);
  const sums = pair(arenaBytes);
  const scalarSums = pair(scalarBytes);
  return { board, gradients, scalars, sums, scalarSums, sizeBytes: end };
}

/** Memory to take for a window: whole pages. Pure. */
export function windowBytes(sizes: WindowSizes): number {
  return Math.ceil(windowLayout(sizes).sizeBytes / PAGE_BYTES) * PAGE_BYTES;
}
