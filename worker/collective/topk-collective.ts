import { arcOf, type Span } from "../../shared/epoch-plan.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { Address, Kernels } from "../kernels/kernels.js";
import type { AddressableMemory } from "./block-folder.js";
import type { Exchange, ExchangeBuffers, Membership, SparseBuffers, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { GuardedCollective, type MovedBytes } from "./guarded-collective.js";
import type { Gathered, RingGather } from "./ring-gather.js";
import { type SparsePart, type SparseShape, sparsePartBytes, viewSparsePart } from "./sparse-part.js";
import { TopSelection } from "./top-selection.js";

const FLOAT32_BYTES = 4;

export interface TopkCollectiveOptions {
  readonly membership: Membership;
  readonly buffers: ExchangeBuffers;
  readonly sparse: SparseBuffers;
  /** What the addresses refer to. */
  readonly memory: AddressableMemory;
  readonly kernels: Pick<Kernels, "add">;
  /** Null: one worker holds all replicas. */
  readonly gather: RingGather | null;
}

/**
 * Exchanges the few gradients that are largest (Aji and Heafield, "Sparse communication for distributed gradient descent", EMNLP 2017); what a
 * replica leaves out it adds to its next gradients (error feedback: Stich, Cordonnier and Jaggi, "Sparsified SGD with memory", NeurIPS 2018),
 * so nothing is lost, but late. Scalars and moments of running statistics are sent whole.
 *
 * Selection, residual and rounding are a replica's own, and the contributions of all replicas are added on every worker in ascending order of
 * the replicas: the same bits on any number of workers. But not the canonical fold, of which it leaves most out: `ordered` is false.
 *
 * Cost for each worker: its replicas' contributions (8 bytes for each element) go out, and all others' but one are passed on; additions
 * and memory for R·k elements, however many workers there are. With R·k near P nothing is saved.
 */
export class TopkCollective extends GuardedCollective {
  readonly name: string;
  readonly ordered = false;
  readonly totals: TotalPlaces;
  readonly #options: TopkCollectiveOptions;
  readonly #arcs: readonly Span[];
  readonly #selection = new TopSelection();

  /** @throws RangeError unless there is one residual for each local replica */
  constructor(options: TopkCollectiveOptions) {
    super();
    const { membership, buffers, sparse } = options;
    const { worldSize, replicas } = membership;
    if (sparse.residuals.length !== buffers.gradients.length)
      throw new RangeError(`${sparse.residuals.length} residuals for ${buffers.gradients.length} replicas`);
    this.name = worldSize === 1 ? "local" : "ring";
    this.totals = { sums: buffers.sums, scalarSums: buffers.scalarSums };
    this.#options = options;
    this.#arcs = Array.from({ length: worldSize }, (_, rank) => arcOf(rank, worldSize, replicas));
  }

  protected async run(exchange: Exchange, signal: AbortSignal): Promise<MovedBytes> {
    return exchange.source === undefined
      ? await this.#sum(exchange, signal)
      : await this.#bring(exchange.sequence, exchange.source, signal);
  }

  async #sum({ sequence, withArena, weight = 1 }: Exchange, signal: AbortSignal): Promise<Gathered> {
    const { membership } = this.#options;
    const turns = new EventLoopTurns(signal);
    const shape = this.#shapeOf(withArena);
    const partBytes = sparsePartBytes(shape);
    const sizes = this.#arcs.map(({ from, to }) => (to - from) * partBytes);
    const own = new Uint8Array(sizes[membership.rank] ?? 0);
    for (const local of this.#options.buffers.gradients.keys()) {
      const part = viewSparsePart(own, shape, local);
      this.#tellScalars(local, part);
      if (withArena) this.#contribute(local, part, weight);
      await turns.after(this.#options.sparse.length * FLOAT32_BYTES);
    }
    const gathered = await this.#gather(sequence, { own, sizes }, signal);
    const totals = this.#totalsOf(sequence);
    totals.scalars.fill(0);
    if (withArena) totals.sums.fill(0);
    for (const [rank, { from, to }] of this.#arcs.entries()) {
      const bytes = gathered.parts[rank] ?? new Uint8Array();
      for (let replica = from; replica < to; replica++)
        this.#add(viewSparsePart(bytes, shape, replica - from), totals, rank);
      await turns.after(bytes.byteLength);
    }
    return gathered;
  }

  /** One replica's gradients, whole: from the worker that has them to all others. */
  async #bring(sequence: number, source: number, signal: AbortSignal): Promise<Gathered> {
    const { membership, buffers, memory } = this.#options;
    const sizeBytes = buffers.blocks.paddedLength * FLOAT32_BYTES;
    const owner = this.#arcs.findIndex(({ from, to }) => source >= from && source < to);
    const sizes = this.#arcs.map((_, rank) => (rank === owner ? sizeBytes : 0));
    const address = buffers.gradients[source - (this.#arcs[owner]?.from ?? 0)];
    const own =
      owner === membership.rank && address !== undefined
        ? new Uint8Array(memory.buffer, address, sizeBytes).slice()
        : new Uint8Array();
    const gathered = await this.#gather(sequence, { own, sizes }, signal);
    const { sums } = this.#totalsOf(sequence);
    new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength).set(gathered.parts[owner] ?? own);
    return gathered;
  }

  async #gather(
    sequence: number,
    { own, sizes }: { readonly own: Uint8Array; readonly sizes: readonly number[] },
    signal: AbortSignal,
  ): Promise<Gathered> {
    const { gather } = this.#options;
    if (gather === null) return { parts: [own], sentBytes: 0, receivedBytes: 0 };
    return await gather.gather({ sequence, own, sizes }, signal);
  }

  #tellScalars(local: number, { scalars }: SparsePart): void {
    const { buffers, memory } = this.#options;
    scalars.set(new Float64Array(memory.buffer, addressIn(buffers.scalars, local), scalars.length));
  }

  /** Writes what a local replica sends of its gradients, and keeps what it doesn't. */
  #contribute(local: number, { indices, values, statistics }: SparsePart, weight: number): void {
    const { buffers, sparse, kernels, memory } = this.#options;
    const gradients = addressIn(buffers.gradients, local);
    const residual = addressIn(sparse.residuals, local);
    const pending = new Float32Array(memory.buffer, residual, sparse.length);
    if (weight === 1) kernels.add(residual, residual, gradients, sparse.length);
    else addWeighted(pending, new Float32Array(memory.buffer, gradients, sparse.length), weight);
    this.#selection.select(pending, indices);
    for (const [at, index] of indices.entries()) {
      values[at] = pending[index] as number;
      pending[index] = 0;
    }
    const behind: Address = gradients + sparse.length * FLOAT32_BYTES;
    statistics.set(new Float32Array(memory.buffer, behind, statistics.length));
  }

  #add({ scalars, indices, values, statistics }: SparsePart, totals: SparseTotals, rank: number): void {
    const { length } = this.#options.sparse;
    const { sums } = totals;
    for (const [at, value] of scalars.entries()) totals.scalars[at] = (totals.scalars[at] as number) + value;
    for (let at = 0; at < indices.length; at++) {
      const index = indices[at] as number;
      if (index >= length) throw strayIndex(rank, index, length);
      sums[index] = (sums[index] as number) + (values[at] as number);
    }
    for (let at = 0; at < statistics.length; at++)
      sums[length + at] = (sums[length + at] as number) + (statistics[at] as number);
  }

  #shapeOf(withArena: boolean): SparseShape {
    const { buffers, sparse } = this.#options;
    const { scalarCount } = buffers;
    if (!withArena) return { scalarCount, count: 0, statistics: 0 };
    return { scalarCount, count: sparse.count, statistics: buffers.blocks.paddedLength - sparse.length };
  }

  #totalsOf(sequence: number): SparseTotals {
    const { buffers, memory } = this.#options;
    const set = sequence % 2 === 0 ? 0 : 1;
    return {
      sums: new Float32Array(memory.buffer, this.totals.sums[set], buffers.blocks.paddedLength),
      scalars: new Float64Array(memory.buffer, this.totals.scalarSums[set], buffers.scalarCount),
    };
  }
}

/** Views of one set. */
interface SparseTotals {
  readonly sums: Float32Array;
  readonly scalars: Float64Array;
}

/** By products in float64, then one rounding; in the last step of an epoch alone, so there is no kernel for it. */
function addWeighted(pending: Float32Array, gradients: Float32Array, weight: number): void {
  for (let at = 0; at < pending.length; at++)
    pending[at] = (pending[at] as number) + (gradients[at] as number) * weight;
}

function addressIn(addresses: readonly Address[], local: number): Address {
  const address = addresses[local];
  if (address === undefined) throw new RangeError(`nothing is known of local replica ${local}`);
  return address;
}

function strayIndex(rank: number, index: number, length: number): RingstrasseError {
  const problem = `a gradient at place ${index} of ${length}`;
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: `worker rank ${rank}`, problem });
}
