import type { ArenaLayout, BlockPlan } from "../../shared/arena-layout.js";
import type { PayloadFormat } from "../../shared/step-rules.js";
import type { ExchangeBuffers, TotalPlaces } from "../collective/collective.js";
import { WINDOW_ALIGNMENT, type WindowPlaces, windowBytes, windowPlaces } from "../collective/exchange-window.js";
import type { Address } from "../kernels/kernels.js";
import type { SharedMemory } from "../kernels/shared-memory.js";
import { SCALARS } from "./step-scalars.js";

/** Two of a kind, used in turn: what is committed, and what the running step writes. */
export type Pair<T> = readonly [T, T];

/** One arena in shared memory: where it is and a view of it. */
export interface Arena {
  readonly address: Address;
  readonly values: Float32Array;
}

/** Everything a worker keeps for one generation of a job, in one shared memory. All arenas have the job's layout. */
export interface Arenas {
  readonly layout: ArenaLayout;
  readonly blocks: BlockPlan;
  readonly parameters: Pair<Arena>;
  /** Per state arena of the optimizer. */
  readonly state: readonly Pair<Arena>[];
  /** Per local replica, ascending. */
  readonly gradients: readonly Arena[];
  readonly scalars: readonly Float64Array[];
  /** For the gradients of one micro-batch, before they are added to the replica's; null where a slice is computed at once. */
  readonly microBatch: Arena | null;
  /** Where the thread that reduces finds gradients and scalars, and puts the sums unless it has a better place: see `Collective.totals`. */
  readonly exchange: ExchangeBuffers;
  /** In which memory is shared with the workers of this host; gradients and scalars lie in it. Null: in none. */
  readonly window: Address | null;
}

export interface ArenaDemand {
  readonly layout: ArenaLayout;
  readonly blocks: BlockPlan;
  readonly localReplicas: number;
  readonly stateArenas: number;
  /** Whether the job has this one replica: then its gradients are the sums, in the same memory. Default false. */
  readonly isOnlyReplica?: boolean;
  /** Whether a replica's slice is computed in several micro-batches. Default false. */
  readonly accumulates?: boolean;
  /** The job's replicas from which this worker's begin, where memory is shared with the workers of its host. Default: none is. */
  readonly shared?: { readonly replicas: number; readonly first: number };
  /** Of the exchange. Default none. */
  readonly format?: PayloadFormat;
}

/** Lays out a worker's memory. Allocates everything first: growing would leave earlier views behind. @throws RingstrasseError when it does not fit. */
export function allocateArenas(memory: SharedMemory, demand: ArenaDemand): Arenas {
  const { layout, blocks, isOnlyReplica = false, accumulates = false, format = "none" } = demand;
  if (isOnlyReplica && demand.localReplicas !== 1) throw new RangeError(`${demand.localReplicas} replicas are not one`);
  const arenaBytes = layout.paddedLength * Float32Array.BYTES_PER_ELEMENT;
  const scalarBytes = SCALARS * Float64Array.BYTES_PER_ELEMENT;
  const pair = (bytes: number): Pair<Address> => [memory.allocate(bytes), memory.allocate(bytes)];
  const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

  const parameters = pair(arenaBytes);
  const state = each(demand.stateArenas, () => pair(arenaBytes));
  const scalarSums = pair(scalarBytes);
  const window = demand.shared === undefined ? null : allocateWindow(memory, blocks, demand.shared.replicas);
  const localOf = (places: readonly Address[]): Address[] => {
    const { first = 0 } = demand.shared ?? {};
    return places.slice(first, first + demand.localReplicas);
  };
  const gradients =
    window === null ? each(demand.localReplicas, () => memory.allocate(arenaBytes)) : localOf(window.gradients);
  const [only = 0] = gradients;
  const sums: Pair<Address> = isOnlyReplica ? [only, only] : pair(arenaBytes);
  const scalars =
    window === null ? each(demand.localReplicas, () => memory.allocate(scalarBytes)) : localOf(window.scalars);
  const microBatch = accumulates ? memory.allocate(arenaBytes) : null;
  const packed = format === "none" ? null : { format, length: layout.trainableLength, sums: pair(arenaBytes / 2) };

  const arena = (address: Address): Arena => ({ address, values: memory.float32(address, layout.paddedLength) });
  const arenas = ([first, second]: Pair<Address>): Pair<Arena> => [arena(first), arena(second)];
  return {
    layout,
    blocks,
    parameters: arenas(parameters),
    state: state.map(arenas),
    gradients: gradients.map(arena),
    scalars: scalars.map((address) => memory.float64(address, SCALARS)),
    microBatch: microBatch === null ? null : arena(microBatch),
    exchange: {
      ...{ blocks, scalarCount: SCALARS, gradients, scalars, sums, scalarSums },
      ...(packed === null ? {} : { packed }),
    },
    window: window?.address ?? null,
  };
}

/** Of the sums of all replicas, as training reads them. */
export interface Totals {
  /** The gradients themselves, twice, when there is one replica in all: nothing had to be added. */
  readonly sums: Pair<Arena>;
  readonly scalarSums: Pair<Float64Array>;
}

/** Views of where a collective leaves its totals. */
export function viewTotals(memory: SharedMemory, layout: ArenaLayout, { sums, scalarSums }: TotalPlaces): Totals {
  const arena = (address: Address): Arena => ({ address, values: memory.float32(address, layout.paddedLength) });
  return {
    sums: [arena(sums[0]), arena(sums[1])],
    scalarSums: [memory.float64(scalarSums[0], SCALARS), memory.float64(scalarSums[1], SCALARS)],
  };
}

function allocateWindow(memory: SharedMemory, blocks: BlockPlan, replicas: number): WindowPlaces {
  const sizes = { blocks, scalarCount: SCALARS, replicas };
  return windowPlaces(sizes, memory.allocate(windowBytes(sizes), WINDOW_ALIGNMENT));
}
