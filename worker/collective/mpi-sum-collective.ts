import { arcOf } from "../../shared/epoch-plan.js";
import type { Mpi } from "../mpi/mpi.js";
import { settled } from "../mpi/settled.js";
import type { AddressableMemory, BlockFolder } from "./block-folder.js";
import type { Collective, Exchange, ExchangeBuffers, ExchangeReport, Membership, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { ExchangeGuard } from "./exchange-guard.js";

export interface MpiSumOptions {
  readonly membership: Membership;
  readonly folder: BlockFolder;
  readonly buffers: ExchangeBuffers;
  /** What the addresses in `buffers` refer to. */
  readonly memory: AddressableMemory;
  /** Of as many ranks as there are workers, each with its worker's rank. */
  readonly mpi: Mpi;
}

/**
 * All-reduce by MPI's own `MPI_Iallreduce`: the worker's replicas are summed in their order, then MPI sums over the workers as it
 * likes. Fast where MPI knows the network; not ordered: another number of workers gives other bits. Which bits the same workers get
 * twice is MPI's affair too.
 */
export class MpiSumCollective implements Collective {
  readonly name = "mpi";
  readonly ordered = false;
  readonly #options: MpiSumOptions;
  readonly #guard = new ExchangeGuard();

  /** @throws RangeError when MPI's ranks are not the workers' */
  constructor(options: MpiSumOptions) {
    const { membership, mpi } = options;
    if (mpi.size !== membership.worldSize || mpi.rank !== membership.rank) {
      throw new RangeError(
        `rank ${membership.rank} of ${membership.worldSize} is rank ${mpi.rank} of ${mpi.size} in MPI`,
      );
    }
    this.#options = options;
  }

  get totals(): TotalPlaces {
    return this.#options.folder.totals;
  }

  allReduce(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    return this.#guard.run(exchange, signal, () => this.#run(exchange, signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#guard.close();
    return Promise.resolve();
  }

  async #run({ sequence, withArena }: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    const startMs = performance.now();
    const { buffers, folder, membership, memory, mpi } = this.#options;
    const arc = arcOf(membership.rank, membership.worldSize, membership.replicas);
    const turns = new EventLoopTurns(signal);
    const sizes = folder.blockBytes(withArena);
    for (const [block, bytes] of sizes.entries()) {
      folder.open(block, sequence, arc);
      await turns.after(bytes * (arc.to - arc.from));
    }
    const set = sequence % 2 === 0 ? 0 : 1;
    const scalars = new Float64Array(memory.buffer, buffers.scalarSums[set], buffers.scalarCount);
    const requests = [mpi.sum(scalars)];
    if (withArena)
      requests.push(mpi.sum(new Float32Array(memory.buffer, buffers.sums[set], buffers.blocks.paddedLength)));
    await settled(requests, signal);
    // What each rank gives and gets; how often MPI moves it is not known.
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    return { sentBytes: bytes, receivedBytes: bytes, elapsedMs: performance.now() - startMs };
  }
}
