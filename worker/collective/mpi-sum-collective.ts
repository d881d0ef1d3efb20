import { blockSpan } from "../../shared/arena-layout.js";
import type { Kernels } from "../kernels/kernels.js";
import type { Mpi } from "../mpi/mpi.js";
import { Patience } from "../mpi/patience.js";
import { settled } from "../mpi/settled.js";
import type { AddressableMemory } from "./block-folder.js";
import type { Exchange, ExchangeBuffers, Membership, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { GuardedCollective, type MovedBytes } from "./guarded-collective.js";

const FLOAT32_BYTES = 4;
const FLOAT64_BYTES = 8;
/** How long a sum may take without a nap: always so much, and so much more for its bytes, which a slow memory or a good network brings in it. */
const EAGER_MS = 0.5;
const EAGER_BYTES_PER_MS = 500_000;

export interface MpiSumOptions {
  readonly membership: Membership;
  readonly buffers: ExchangeBuffers;
  /** What the addresses in `buffers` and the kernels refer to. */
  readonly memory: AddressableMemory;
  readonly kernels: Pick<Kernels, "add">;
  /** Of as many ranks as there are workers, each with its worker's rank. */
  readonly mpi: Mpi;
}

/**
 * All-reduce by MPI's own `MPI_Iallreduce`: the worker's replicas are summed in their order, into the gradients of the first of them, then MPI
 * sums over the workers as it likes. Fast where MPI knows the network; not ordered: another number of workers gives other bits. Which
 * bits the same workers get twice is MPI's affair too.
 */
export class MpiSumCollective extends GuardedCollective {
  readonly name = "mpi";
  readonly ordered = false;
  readonly #options: MpiSumOptions;

  /** @throws RangeError when MPI's ranks are not the workers' */
  constructor(options: MpiSumOptions) {
    super();
    const { membership, mpi } = options;
    if (mpi.size !== membership.worldSize || mpi.rank !== membership.rank) {
      throw new RangeError(
        `rank ${membership.rank} of ${membership.worldSize} is rank ${mpi.rank} of ${mpi.size} in MPI`,
      );
    }
    this.#options = options;
  }

  /** One set: nobody reads totals any more when MPI has them, and less memory is gone through. */
  get totals(): TotalPlaces {
    const { sums, scalarSums } = this.#options.buffers;
    return { sums: [sums[0], sums[0]], scalarSums: [scalarSums[0], scalarSums[0]] };
  }

  protected async run({ withArena }: Exchange, signal: AbortSignal): Promise<MovedBytes> {
    const { buffers, mpi } = this.#options;
    const requests = [mpi.sum(this.#sumOfScalars(), this.#scalarsAt(buffers.scalarSums[0]))];
    if (withArena) requests.push(mpi.sum(await this.#sumOfGradients(signal), this.#arenaAt(buffers.sums[0])));
    // What each rank gives and gets; how often MPI moves it is not known.
    const arenaBytes = withArena ? buffers.blocks.paddedLength * FLOAT32_BYTES : 0;
    const bytes = buffers.scalarCount * FLOAT64_BYTES + arenaBytes;
    await settled(requests, signal, new Patience(EAGER_MS + bytes / EAGER_BYTES_PER_MS));
    return { sentBytes: bytes, receivedBytes: bytes };
  }

  #sumOfScalars(): Float64Array {
    const [first, ...others] = this.#options.buffers.scalars.map((address) => this.#scalarsAt(address));
    if (first === undefined) throw new RangeError("a worker without a replica");
    for (const other of others) {
      for (let index = 0; index < first.length; index++) first[index] = (first[index] ?? 0) + (other[index] ?? 0);
    }
    return first;
  }

  async #sumOfGradients(signal: AbortSignal): Promise<Float32Array> {
    const { buffers, kernels } = this.#options;
    const { blocks, gradients } = buffers;
    const [first, ...others] = gradients;
    if (first === undefined) throw new RangeError("a worker without a replica");
    const turns = new EventLoopTurns(signal);
    for (let block = 0; block < blocks.blockCount && others.length > 0; block++) {
      const { from, to } = blockSpan(blocks, block);
      const offset = from * FLOAT32_BYTES;
      for (const other of others) kernels.add(first + offset, first + offset, other + offset, to - from);
      await turns.after((to - from) * FLOAT32_BYTES * others.length);
    }
    return this.#arenaAt(first);
  }

  #arenaAt(address: number): Float32Array {
    const { buffers, memory } = this.#options;
    return new Float32Array(memory.buffer, address, buffers.blocks.paddedLength);
  }

  #scalarsAt(address: number): Float64Array {
    const { buffers, memory } = this.#options;
    return new Float64Array(memory.buffer, address, buffers.scalarCount);
  }
}
