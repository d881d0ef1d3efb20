import type { Address } from "../kernels/kernels.js";
import type { ExchangeBuffers } from "./collective.js";
import { SEGMENT_HEADER_BYTES } from "./shared-segment.js";

const FLOAT32_BYTES = 4;
const FLOAT64_BYTES = 8;
/** Places begin at multiples of this. */
const ALIGNMENT = 64;
/** Of a worker's place on the board: its word and two headers, each in cache lines of its own. */
export const BOARD_PLACE_BYTES = 192;
/** Windows begin at multiples of this and are as long as multiples of it: the largest pages of any processor. */
const PAGE_BYTES = 65536;

/** Where everything lies in the window. Addresses of the worker's own memory: the same distances on all workers. */
export interface WindowPlaces {
  readonly address: Address;
  /** By rank. */
  readonly board: readonly Address[];
  /** By replica, of the whole job. */
  readonly gradients: readonly Address[];
  readonly scalars: readonly Address[];
  readonly sums: readonly [Address, Address];
  readonly scalarSums: readonly [Address, Address];
  /** As far as the last place reaches. */
  readonly sizeBytes: number;
}

export type WindowSizes = Pick<ExchangeBuffers, "blocks" | "scalarCount"> & { readonly replicas: number };

/**
 * Lays out the memory that all workers of a host share, and that each sees as a part of its own: the board of announcements, every replica's
 * gradients and scalars, and two sets of sums for all together. It begins with the header of the segment that it is. Pure; a function of
 * the job alone, so that all workers come to the same.
 */
export function windowPlaces({ blocks, scalarCount, replicas }: WindowSizes, address: Address): WindowPlaces {
  let end = address + SEGMENT_HEADER_BYTES;
  const place = (bytes: number): Address => {
    const begin = end;
    end += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return begin;
  };
  const each = (bytes: number): Address[] => Array.from({ length: replicas }, () => place(bytes));
  const pair = (bytes: number): [Address, Address] => [place(bytes), place(bytes)];
  const arenaBytes = blocks.paddedLength * FLOAT32_BYTES;
  const scalarBytes = scalarCount * FLOAT64_BYTES;
  // A worker has at least one replica.
  const board = each(BOARD_PLACE_BYTES);
  const gradients = each(arenaBytes);
  const scalars = each(scalarBytes);
  const sums = pair(arenaBytes);
  const scalarSums = pair(scalarBytes);
  return { address, board, gradients, scalars, sums, scalarSums, sizeBytes: end - address };
}

/** Memory to take for a window: whole pages. */
export function windowBytes(sizes: WindowSizes): number {
  return Math.ceil(windowPlaces(sizes, 0).sizeBytes / PAGE_BYTES) * PAGE_BYTES;
}

export const WINDOW_ALIGNMENT = PAGE_BYTES;
