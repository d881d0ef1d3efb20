import { arcOf } from "../../shared/epoch-plan.js";
import type { Mpi } from "../mpi/mpi.js";
import { settled } from "../mpi/settled.js";
import type { AddressableMemory, BlockFolder } from "./block-folder.js";
import type { Exchange, ExchangeBuffers, Membership, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { GuardedCollective, type MovedBytes } from "./guarded-collective.js";

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

  get totals(): TotalPlaces {
    return this.#options.folder.totals;
  }

  protected async run({ sequence, withArena }: Exchange, signal: AbortSignal): Promise<MovedBytes> {
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
    return { sentBytes: bytes, receivedBytes: bytes };
  }
}
