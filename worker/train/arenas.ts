import type { ArenaDemand } from "../../shared/arena-demand.js";
import type { ArenaLayout, BlockPlan } from "../../shared/arena-layout.js";
import { placeArenas } from "../../shared/arena-places.js";
import { SCALARS } from "../../shared/scalar-count.js";
import type { ExchangeBuffers, TotalPlaces } from "../collective/collective.js";
import type { Address } from "../kernels/kernels.js";
import type { SharedMemory } from "../kernels/shared-memory.js";

/** Two of a kind, used in turn: what is committed, and what the running step writes. */
export type Pair<T> = readonly [T, T];

/** One arena in shared memory: where it is and a view of it. */
export interface Arena {
  readonly address: Address;
  readonly values: Float32Array;
}

/** What a replica has for itself where copies diverge between exchanges: written in place, since nothing of it is committed before. */
export interface CopyArenas {
  readonly parameters: Arena;
  /** Per state arena of the replica's optimizer. */
  readonly state: readonly Arena[];
}

/** Everything a worker keeps for one generation of a job, in one shared memory. All arenas have the job's layout. */
export interface Arenas {
  readonly layout: ArenaLayout;
  readonly blocks: BlockPlan;
  readonly parameters: Pair<Arena>;
  /** Per state arena of the optimizer of these parameters. */
  readonly state: readonly Pair<Arena>[];
  /** Per local replica, ascending; empty where all go by the same parameters. */
  readonly copies: readonly CopyArenas[];
  /** Per local replica: what it carries from step to step and no other worker has; empty lists where there is nothing of the kind. */
  readonly replicaState: readonly (readonly Arena[])[];
  /** Per local replica, ascending. */
  readonly gradients: readonly Arena[];
  readonly scalars: readonly Float64Array[];
  /** For the gradients of one micro-batch, before they are added to the replica's; null where a slice is computed at once. */
  readonly microBatch: Arena | null;
  /** Where the thread that reduces finds gradients and scalars, and puts the sums unless it has a better place: see `Collective.totals`. */
  readonly exchange: ExchangeBuffers;
  /** Of the worker that has the parameters of an asynchronous job; null: this one hasn't. */
  readonly store: ParameterArenas | null;
  /** In which memory is shared with the workers of this host; gradients and scalars lie in it. Null: in none. */
  readonly window: Address | null;
}

/** Where the parameters of an asynchronous job lie, beside the copy that this worker computes with. */
export interface ParameterArenas {
  readonly parameters: Arena;
  /** Per state arena of the optimizer. */
  readonly state: readonly Arena[];
}

/** Lays out a worker's memory. Allocates everything first: growing would leave earlier views behind. @throws RingstrasseError when it does not fit. */
export function allocateArenas(memory: SharedMemory, demand: ArenaDemand): Arenas {
  const { layout, blocks, isOnlyReplica = false, scalarCount = SCALARS, topk = null, format = "none" } = demand;
  if (isOnlyReplica && demand.localReplicas !== 1) throw new RangeError(`${demand.localReplicas} replicas are not one`);
  const places = placeArenas(demand, (bytes, alignment) => memory.allocate(bytes, alignment));
  const { gradients, scalars, sums, scalarSums, residuals, microBatch } = places;
  const sparse = topk === null ? null : { count: topk, length: layout.trainableLength, residuals };
  const packed =
    format === "none" || places.packed === null
      ? null
      : { format, length: layout.trainableLength, sums: places.packed };

  const arena = (address: Address): Arena => ({ address, values: memory.float32(address, layout.paddedLength) });
  const [stored, ...storedState] = places.store.map(arena);
  const arenas = ([first, second]: Pair<Address>): Pair<Arena> => [arena(first), arena(second)];
  const copies = places.copies.map(([own = 0, ...ownState]) => ({
    parameters: arena(own),
    state: ownState.map(arena),
  }));
  return {
    layout,
    blocks,
    parameters: arenas(places.parameters),
    state: places.state.map(arenas),
    copies,
    replicaState: gradients.map((_, index) => [
      ...(copies[index]?.state ?? []),
      ...residuals.slice(index, index + 1).map(arena),
    ]),
    gradients: gradients.map(arena),
    scalars: scalars.map((address) => memory.float64(address, scalarCount)),
    microBatch: microBatch === null ? null : arena(microBatch),
    exchange: {
      ...{ blocks, scalarCount, gradients, scalars, sums, scalarSums },
      ...(packed === null ? {} : { packed }),
      ...(sparse === null ? {} : { sparse }),
      ...(places.inbox === null ? {} : { inbox: places.inbox }),
    },
    store: stored === undefined ? null : { parameters: stored, state: storedState },
    window: places.window,
  };
}

/** Sets every element of the trainable tensors of an arena; padding stays as it is. */
export function fillTensors({ slots }: ArenaLayout, { values }: Arena, value: number): void {
  for (const { offset, length } of slots) values.fill(value, offset, offset + length);
}

/** Of the sums of all replicas, as training reads them. */
export interface Totals {
  /** The gradients themselves, twice, when there is one replica in all: nothing had to be added. */
  readonly sums: Pair<Arena>;
  readonly scalarSums: Pair<Float64Array>;
}

/** Views of where a collective leaves its totals. */
export function viewTotals(
  memory: SharedMemory,
  { layout, exchange }: Pick<Arenas, "layout" | "exchange">,
  { sums, scalarSums }: TotalPlaces,
): Totals {
  const { scalarCount } = exchange;
  const arena = (address: Address): Arena => ({ address, values: memory.float32(address, layout.paddedLength) });
  return {
    sums: [arena(sums[0]), arena(sums[1])],
    scalarSums: [memory.float64(scalarSums[0], scalarCount), memory.float64(scalarSums[1], scalarCount)],
  };
}
