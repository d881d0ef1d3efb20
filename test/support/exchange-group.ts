import { type BlockPlan, blockPlan, blockSpan } from "../../shared/arena-layout.js";
import type { MpiMode } from "../../shared/collective-choice.js";
import { arcOf } from "../../shared/epoch-plan.js";
import { WINDOW_ALIGNMENT, windowBytes } from "../../shared/window-layout.js";
import type { Collective, Exchange, ExchangeBuffers, Membership } from "../../worker/collective/collective.js";
import { createCollective } from "../../worker/collective/create-collective.js";
import { type WindowPlaces, windowPlaces } from "../../worker/collective/exchange-window.js";
import type { WordSleeper } from "../../worker/collective/word-sleeper.js";
import { sumSpans } from "../../worker/communication/ring-memory.js";
import { compileKernels, instantiateKernels } from "../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../worker/kernels/shared-memory.js";
import type { Mpi } from "../../worker/mpi/mpi.js";
import { MirrorPlan } from "../../worker/transport/mirror-plan.js";
import { MirroredRingTransport } from "../../worker/transport/mirrored-ring-transport.js";
import type { RingTransport } from "../../worker/transport/ring-transport.js";
import type { StarTransport } from "../../worker/transport/star-transport.js";
import { foldInOrder, foldRounded } from "./reference-fold.js";
import type { SixteenBits } from "./reference-sixteen-bits.js";

const SPECIAL_VALUES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-45, -1.1e-38, 3.4e38];

const SCALES = Array.from({ length: 24 }, (_, index) => 2 ** (index - 12));

export interface GroupShape {
  readonly workers: number;
  readonly replicas: number;
  readonly paddedLength: number;
  readonly scalarCount: number;
  /** Sums travel in 16 bits; absent: as float32. */
  readonly packed?: PackedShape;
}

export interface PackedShape {
  readonly format: SixteenBits;
  /** Floats at the beginning of the arena that travel so. */
  readonly length: number;
  readonly scale: number;
}

/** One worker of a group: memory of its own, as in a process of its own. */
export interface GroupWorker {
  readonly membership: Membership;
  readonly memory: SharedMemory;
  readonly buffers: ExchangeBuffers;
  readonly collective: Collective;
}

export const LAYOUT_HASH = "0123456789abcdef".repeat(4);

export interface WorkerSpec extends GroupShape {
  readonly rank: number;
  readonly transport: RingTransport | null;
  /** Then it is a parameter server that is gone over. */
  readonly star?: StarTransport;
  /** Maps the group's window, of {@link windowSegmentBytes}: then memory is shared. */
  readonly mapWindow?: (memory: WebAssembly.Memory, places: WindowPlaces) => void;
  /** For a hierarchical ring: what it shares with its neighbours; null: that hop is between hosts. */
  readonly hops?: { readonly toNext: Uint8Array | null; readonly fromPrevious: Uint8Array | null };
  /** Then it is MPI that is gone over. */
  readonly mpi?: { readonly mpi: Mpi; readonly mode: MpiMode };
  readonly generation?: number;
  readonly layoutHash?: string;
}

/** Bytes of what a worker shares with the next one of a hierarchical ring. */
export function hopSizeBytes({ paddedLength, packed }: GroupShape): number {
  const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;
  return 2 * aligned(paddedLength * 4) + (packed === undefined ? 0 : 2 * aligned(paddedLength * 2));
}

/** Bytes of the segment of a group that shares memory. */
export function windowSegmentBytes({ replicas, paddedLength, scalarCount }: GroupShape): number {
  return windowBytes({ blocks: blockPlan(paddedLength, replicas), scalarCount, replicas });
}

/** The workers of a test run in one thread by turns: whoever waits gives way to the others instead of sleeping. */
const GIVING_WAY: WordSleeper = { spinMs: 0, giveWay: () => undefined, sleep: () => undefined, wake: () => undefined };

export async function createWorker(spec: WorkerSpec): Promise<GroupWorker> {
  const { rank, workers, replicas, paddedLength, scalarCount, packed } = spec;
  const memory = new SharedMemory();
  const arc = arcOf(rank, workers, replicas);
  const window = spec.mapWindow === undefined ? null : windowIn(memory, spec, spec.mapWindow);
  const arenas = () => Array.from({ length: arc.to - arc.from }, () => memory.allocate(paddedLength * 4));
  const scalars = () => memory.allocate(scalarCount * 8);
  const packedSums = () => memory.allocate(paddedLength * 2);
  const buffers: ExchangeBuffers = {
    blocks: blockPlan(paddedLength, replicas),
    scalarCount,
    gradients: window?.gradients.slice(arc.from, arc.to) ?? arenas(),
    scalars: window?.scalars.slice(arc.from, arc.to) ?? Array.from({ length: arc.to - arc.from }, scalars),
    sums: [memory.allocate(paddedLength * 4), memory.allocate(paddedLength * 4)],
    scalarSums: [scalars(), scalars()],
    ...(packed === undefined
      ? {}
      : { packed: { format: packed.format.name, length: packed.length, sums: [packedSums(), packedSums()] } }),
    ...(spec.star === undefined ? {} : { inbox: memory.allocate(inboxBytes(spec)) }),
  };
  const membership: Membership = { generation: spec.generation ?? 1, rank, worldSize: workers, replicas };
  const collective = createCollective({
    choice: choiceOf(spec),
    mpi: spec.mpi?.mpi ?? null,
    mpiMode: spec.mpi?.mode ?? "ordered",
    window,
    sleeper: GIVING_WAY,
    membership,
    buffers,
    memory: memory.memory,
    kernels: instantiateKernels(await compileKernels(), memory.memory),
    transport: linkOf(spec, memory, buffers),
    star: spec.star ?? null,
    layoutHash: spec.layoutHash ?? LAYOUT_HASH,
  });
  return { membership, memory, buffers, collective };
}

function inboxBytes({ paddedLength, replicas, scalarCount }: GroupShape): number {
  return Math.max(blockPlan(paddedLength, replicas).blockLength * 4, scalarCount * 8);
}

function choiceOf({ mpi, hops, mapWindow, star }: WorkerSpec) {
  if (star !== undefined) return "parameter-server";
  if (mpi !== undefined) return "mpi";
  if (hops !== undefined) return "hierarchical";
  return mapWindow === undefined ? "auto" : "shm";
}

function windowIn(
  memory: SharedMemory,
  shape: GroupShape,
  mapWindow: NonNullable<WorkerSpec["mapWindow"]>,
): WindowPlaces {
  const sizes = { blocks: blockPlan(shape.paddedLength, shape.replicas), ...shape };
  const places = windowPlaces(sizes, memory.allocate(windowBytes(sizes), WINDOW_ALIGNMENT));
  mapWindow(memory.memory, places);
  return places;
}

function linkOf({ transport, hops }: WorkerSpec, { memory }: SharedMemory, buffers: ExchangeBuffers) {
  if (hops === undefined || transport === null) return transport;
  const plan = new MirrorPlan(memory, sumSpans(buffers));
  const outgoing = hops.toNext === null ? null : { plan, bytes: hops.toNext };
  return new MirroredRingTransport({ link: transport, outgoing, incoming: hops.fromPrevious });
}

/** Connects every transport to the next one's endpoint. */
export function connectRing(transports: readonly RingTransport[]): void {
  for (const [rank, transport] of transports.entries()) {
    const next = transports[(rank + 1) % transports.length];
    if (next !== undefined) transport.connect(next.endpoint);
  }
}

/** What replica `replica` contributes to exchange `sequence`: magnitudes far apart, so that every other order is seen. */
export function gradientOf(shape: GroupShape, replica: number, sequence: number): Float32Array {
  const values = new Float32Array(shape.paddedLength);
  fill(values, replica, sequence);
  return values;
}

export function scalarsOf(shape: GroupShape, replica: number, sequence: number): Float64Array {
  const values = new Float64Array(shape.scalarCount);
  fill(values, replica, sequence);
  return values;
}

/** Writes this worker's contribution to an exchange into its arenas. */
export function contribute(worker: GroupWorker, shape: GroupShape, { sequence }: Exchange): void {
  const { rank, worldSize, replicas } = worker.membership;
  const arc = arcOf(rank, worldSize, replicas);
  for (const [local, address] of worker.buffers.gradients.entries()) {
    worker.memory.float32(address, shape.paddedLength).set(gradientOf(shape, arc.from + local, sequence));
  }
  for (const [local, address] of worker.buffers.scalars.entries()) {
    worker.memory.float64(address, shape.scalarCount).set(scalarsOf(shape, arc.from + local, sequence));
  }
}

export interface Totals {
  readonly sums: Float32Array;
  readonly scalarSums: Float64Array;
}

/** The totals that every worker must hold after an exchange. */
export function referenceTotals(shape: GroupShape, sequence: number): Totals {
  const replicas = Array.from({ length: shape.replicas }, (_, replica) => replica);
  const gradients = replicas.map((replica) => gradientOf(shape, replica, sequence));
  const plan: BlockPlan = blockPlan(shape.paddedLength, shape.replicas);
  const sums = new Float32Array(shape.paddedLength);
  for (let index = 0; index < plan.blockCount; index++) {
    const { from, to } = blockSpan(plan, index);
    const slices = gradients.map((gradient) => gradient.subarray(from, to));
    const start = (index + 1) % shape.replicas;
    const isPacked = shape.packed !== undefined && to <= shape.packed.length;
    if (isPacked) foldRounded(slices, { start, ...shape.packed }, sums.subarray(from, to));
    else foldInOrder(slices, start, sums.subarray(from, to));
  }
  const scalarSums = new Float64Array(shape.scalarCount);
  foldInOrder(
    replicas.map((replica) => scalarsOf(shape, replica, sequence)),
    0,
    scalarSums,
  );
  return { sums, scalarSums };
}

/** A worker's totals of an exchange, in place. */
export function totalsOf(worker: GroupWorker, shape: GroupShape, { sequence }: Exchange): Totals {
  const set = sequence % 2 === 0 ? 0 : 1;
  const { sums, scalarSums } = worker.collective.totals;
  return {
    sums: worker.memory.float32(sums[set], shape.paddedLength),
    scalarSums: worker.memory.float64(scalarSums[set], shape.scalarCount),
  };
}

function fill(values: Float32Array | Float64Array, replica: number, sequence: number): void {
  for (let index = 0; index < values.length; index++) {
    const bits = scramble(index + 1, replica + 1, sequence + 1);
    const special = bits % 61 === 0 ? SPECIAL_VALUES[bits % SPECIAL_VALUES.length] : undefined;
    const scale = SCALES[(bits >>> 16) % SCALES.length] ?? 1;
    values[index] = special ?? ((bits & 0xffff) / 0x8000 - 1) * scale;
  }
}

function scramble(a: number, b: number, c: number): number {
  let bits = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}
