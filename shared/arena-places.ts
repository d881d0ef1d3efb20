import { type Allocate, bytesTaken } from "./address-space.js";
import type { ArenaDemand } from "./arena-demand.js";
import { SCALARS } from "./scalar-count.js";
import { WINDOW_ALIGNMENT, type WindowSizes, windowBytes, windowLayout } from "./window-layout.js";

const FLOAT32_BYTES = 4;
const FLOAT64_BYTES = 8;

type Two = readonly [number, number];

/** Where a worker's arenas lie in its memory: addresses, in bytes. Lists of replicas are of the local ones, ascending. */
export interface ArenaPlaces {
  readonly parameters: Two;
  /** Per state arena of the optimizer. */
  readonly state: readonly Two[];
  readonly gradients: readonly number[];
  readonly scalars: readonly number[];
  /** The gradients themselves, twice, when there is one replica in all. */
  readonly sums: Two;
  readonly scalarSums: Two;
  readonly microBatch: number | null;
  /** Of each replica's copy: its parameters, then its state arenas; empty where replicas have none. */
  readonly copies: readonly (readonly number[])[];
  /** Of each replica, what top-k has not sent; empty where all is sent. */
  readonly residuals: readonly number[];
  /** Sums in 16 bits. */
  readonly packed: Two | null;
  readonly inbox: number | null;
  /** Parameters, then state arenas, of the worker that has those of an asynchronous job; else empty. */
  readonly store: readonly number[];
  /** Where the window begins, in which gradients and scalars lie then. */
  readonly window: number | null;
}

/**
 * Gives everything that a worker keeps in a job its place. The one description of it: workers allocate by it, and who forms a group learns by
 * {@link arenaBytes} whether they can.
 */
export function placeArenas(demand: ArenaDemand, allocate: Allocate): ArenaPlaces {
  const { layout, blocks, localReplicas, isOnlyReplica = false, accumulates = false, format = "none" } = demand;
  const { scalarCount = SCALARS, copyStateArenas = null, topk = null, shared } = demand;
  const eachBytes = layout.paddedLength * FLOAT32_BYTES;
  const scalarBytes = scalarCount * FLOAT64_BYTES;
  const pair = (bytes: number): Two => [allocate(bytes), allocate(bytes)];
  const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

  const parameters = pair(eachBytes);
  const state = each(demand.stateArenas, () => pair(eachBytes));
  const scalarSums = pair(scalarBytes);
  const window = shared === undefined ? null : placeWindow(demand, { ...shared, blocks, scalarCount }, allocate);
  const gradients = window?.gradients ?? each(localReplicas, () => allocate(eachBytes));
  const [only = 0] = gradients;
  const sums: Two = isOnlyReplica ? [only, only] : pair(eachBytes);
  const scalars = window?.scalars ?? each(localReplicas, () => allocate(scalarBytes));
  const microBatch = accumulates ? allocate(eachBytes) : null;
  const copies = each(copyStateArenas === null ? 0 : localReplicas, () =>
    each(1 + (copyStateArenas ?? 0), () => allocate(eachBytes)),
  );
  const residuals = each(topk === null ? 0 : localReplicas, () => allocate(eachBytes));
  const packed = format === "none" ? null : pair(eachBytes / 2);
  const inboxBytes = Math.max(blocks.blockLength * FLOAT32_BYTES, scalarBytes);
  const inbox = demand.receivesGradients === true ? allocate(inboxBytes) : null;
  const store = demand.keepsParameters === true ? each(1 + demand.stateArenas, () => allocate(eachBytes)) : [];
  const ofReplicas = { gradients, scalars, copies, residuals };
  return {
    ...{ parameters, state, sums, scalarSums, ...ofReplicas },
    ...{ microBatch, packed, inbox, store, window: window?.address ?? null },
  };
}

/** Bytes of the memory of a worker with these arenas. Must not exceed `ADDRESSABLE_BYTES`. Pure. */
export function arenaBytes(demand: ArenaDemand): number {
  return bytesTaken((allocate) => placeArenas(demand, allocate));
}

/** The window, and what of it is this worker's. */
function placeWindow(
  { localReplicas }: ArenaDemand,
  { first, ...sizes }: WindowSizes & { readonly first: number },
  allocate: Allocate,
): Pick<ArenaPlaces, "gradients" | "scalars"> & { readonly address: number } {
  const address = allocate(windowBytes(sizes), WINDOW_ALIGNMENT);
  const { gradients, scalars } = windowLayout(sizes);
  const own = (offsets: readonly number[]): number[] =>
    offsets.slice(first, first + localReplicas).map((offset) => address + offset);
  return { address, gradients: own(gradients), scalars: own(scalars) };
}
