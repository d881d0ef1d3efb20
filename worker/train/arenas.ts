import type { ArenaLayout, BlockPlan } from "../../shared/arena-layout.js";
import type { ExchangeBuffers, TotalPlaces } from "../collective/collective.js";
import {
  WINDOW_ALIGNMENT,
  type WindowPlaces,
  type WindowSizes,
  windowBytes,
  windowPlaces,
} from "../collective/exchange-window.js";
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

export interface ArenaDemand {
  readonly layout: ArenaLayout;
  readonly blocks: BlockPlan;
  readonly localReplicas: number;
  readonly stateArenas: number;
  /** State arenas of each replica's own optimizer, where replicas have parameters of their own. Default: they have none. */
  readonly copyStateArenas?: number;
  /** Float64 values of each scalar block. Default those of one step. */
  readonly scalarCount?: number;
  /** Whether the job has this one replica: then its gradients are the sums, in the same memory. Default false. */
  readonly isOnlyReplica?: boolean;
  /** Whether a replica's slice is computed in several micro-batches. Default false. */
  readonly accumulates?: boolean;
  /** The job's replicas from which this worker's begin, where memory is shared with the workers of its host. Default: none is. */
  readonly shared?: { readonly replicas: number; readonly first: number };
  /** Of the exchange. Default none. */
  readonly format?: "none" | "bf16" | "fp16";
  /** Elements of each replica's gradients that travel. Default: all. */
  readonly topk?: number;
  /** Whether this worker folds what others send it: see `ExchangeBuffers.inbox`. Default false. */
  readonly receivesGradients?: boolean;
  /** Whether this worker has the parameters of an asynchronous job. Default false. */
  readonly keepsParameters?: boolean;
}

/** Lays out a worker's memory. Allocates everything first: growing would leave earlier views behind. @throws RingstrasseError when it does not fit. */
export function allocateArenas(memory: SharedMemory, demand: ArenaDemand): Arenas {
  const { layout, blocks, isOnlyReplica = false, accumulates = false, format = "none" } = demand;
  const { scalarCount = SCALARS, copyStateArenas = null, topk = null } = demand;
  if (isOnlyReplica && demand.localReplicas !== 1) throw new RangeError(`${demand.localReplicas} replicas are not one`);
  const arenaBytes = layout.paddedLength * Float32Array.BYTES_PER_ELEMENT;
  const scalarBytes = scalarCount * Float64Array.BYTES_PER_ELEMENT;
  const pair = (bytes: number): Pair<Address> => [memory.allocate(bytes), memory.allocate(bytes)];
  const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

  const parameters = pair(arenaBytes);
  const state = each(demand.stateArenas, () => pair(arenaBytes));
  const scalarSums = pair(scalarBytes);
  const window =
    demand.shared === undefined
      ? null
      : allocateWindow(memory, { blocks, scalarCount, replicas: demand.shared.replicas });
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
  const copyPlaces = each(copyStateArenas === null ? 0 : demand.localReplicas, () =>
    each(1 + (copyStateArenas ?? 0), () => memory.allocate(arenaBytes)),
  );
  const residuals = each(topk === null ? 0 : demand.localReplicas, () => memory.allocate(arenaBytes));
  const sparse = topk === null ? null : { count: topk, length: layout.trainableLength, residuals };
  const packed = format === "none" ? null : { format, length: layout.trainableLength, sums: pair(arenaBytes / 2) };

  const inboxBytes = Math.max(blocks.blockLength * Float32Array.BYTES_PER_ELEMENT, scalarBytes);
  const inbox = demand.receivesGradients === true ? memory.allocate(inboxBytes) : null;
  const store = demand.keepsParameters === true ? each(1 + demand.stateArenas, () => memory.allocate(arenaBytes)) : [];

  const arena = (address: Address): Arena => ({ address, values: memory.float32(address, layout.paddedLength) });
  const [stored, ...storedState] = store.map(arena);
  const arenas = ([first, second]: Pair<Address>): Pair<Arena> => [arena(first), arena(second)];
  const copies = copyPlaces.map(([own = 0, ...ownState]) => ({ parameters: arena(own), state: ownState.map(arena) }));
  return {
    layout,
    blocks,
    parameters: arenas(parameters),
    state: state.map(arenas),
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
      ...(inbox === null ? {} : { inbox }),
    },
    store: stored === undefined ? null : { parameters: stored, state: storedState },
    window: window?.address ?? null,
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

function allocateWindow(memory: SharedMemory, sizes: WindowSizes): WindowPlaces {
  return windowPlaces(sizes, memory.allocate(windowBytes(sizes), WINDOW_ALIGNMENT));
}
