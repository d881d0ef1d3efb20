import { COLLECTIVES, type CollectiveName, type MpiMode } from "../../shared/collective-choice.js";
import { arcOf } from "../../shared/epoch-plan.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { Kernels } from "../kernels/kernels.js";
import type { Mpi } from "../mpi/mpi.js";
import type { RingTransport } from "../transport/ring-transport.js";
import type { StarTransport } from "../transport/star-transport.js";
import { type AddressableMemory, BlockFolder } from "./block-folder.js";
import type { Collective, ExchangeBuffers, Membership, SparseBuffers } from "./collective.js";
import type { WindowPlaces } from "./exchange-window.js";
import { FoldSchedule } from "./fold-schedule.js";
import { FutexSleeper } from "./futex-sleeper.js";
import { LocalCollective } from "./local-collective.js";
import { MpiSumCollective } from "./mpi-sum-collective.js";
import { PackedCollective } from "./packed-collective.js";
import { PackedSums, type PackingKernels } from "./packed-sums.js";
import { ParameterServerCollective } from "./parameter-server-collective.js";
import { RingCollective } from "./ring-collective.js";
import { RingGather } from "./ring-gather.js";
import { ShmCollective } from "./shm-collective.js";
import { TopkCollective } from "./topk-collective.js";
import { WindowBarrier } from "./window-barrier.js";
import type { WordSleeper } from "./word-sleeper.js";

export interface LocalCollectiveOptions {
  readonly membership: Membership;
  readonly buffers: ExchangeBuffers;
  /** What the addresses in `buffers` and the kernels refer to. */
  readonly memory: AddressableMemory;
  readonly kernels: Pick<Kernels, "add"> & PackingKernels;
}

export interface CollectiveOptions extends LocalCollectiveOptions {
  /** `auto` takes what the number of workers asks for: `local` for one, `ring` for several. */
  readonly choice: "auto" | "local" | CollectiveName;
  /** Connected to the next worker; for `hierarchical` a mirrored one. Unused, and may be null, with one worker, and for `shm` and `parameter-server`. */
  readonly transport: RingTransport | null;
  /** For `parameter-server`, in the place of `transport`. */
  readonly star?: StarTransport | null;
  /** For `shm`: the mapped window; it stays the caller's, and `buffers`' gradients and scalars lie in it. */
  readonly window?: WindowPlaces | null;
  /** For `shm`: how workers wait for each other; default by futex. */
  readonly sleeper?: WordSleeper;
  /** For `mpi`, whose `transport` goes over it too. */
  readonly mpi?: Mpi | null;
  /** Of `mpi`; default ordered. */
  readonly mpiMode?: MpiMode;
  /** Hex; see `layoutHash` in shared/arena-layout.ts. */
  readonly layoutHash: string;
}

/**
 * The collective for this worker's place in its group. A ring of one worker is `local`: the same folds, no sockets.
 * @throws RingstrasseError CHOICE_UNSUPPORTED when `local` is asked for and there are several workers.
 * @throws RangeError for more workers than replicas, a wrong number of buffers, or a missing transport.
 */
export function createCollective(options: CollectiveOptions): Collective {
  const { choice, membership, transport } = options;
  if (membership.worldSize === 1) return createLocalCollective(options);
  if (choice === "local") {
    const remedy = `Use --workers 1, or --collective ring for ${membership.worldSize} workers`;
    throw new RingstrasseError({
      code: "CHOICE_UNSUPPORTED",
      option: "--collective",
      value: choice,
      supported: ["auto", ...COLLECTIVES],
      remedy,
    });
  }
  if (options.buffers.sparse !== undefined) return topkOf(options, options.buffers.sparse);
  if (choice === "shm") return shmOf(options);
  if (choice === "parameter-server") return parameterServerOf(options);
  if (transport === null) throw new RangeError(`a ring of ${membership.worldSize} workers needs a transport`);
  if (choice === "mpi" && options.mpiMode === "allreduce") return mpiSumOf(options);
  const name = choice === "hierarchical" || choice === "mpi" ? choice : "ring";
  const { layoutHash } = options;
  const ring = { name, membership, transport, layoutHash, sendsGradients: name !== "hierarchical" } as const;
  return withPacking(options, (folder) => new RingCollective({ ...ring, folder }));
}

/** Over any link round a ring; and of one worker. */
function topkOf(options: LocalCollectiveOptions & Partial<CollectiveOptions>, sparse: SparseBuffers): Collective {
  const { membership, buffers, memory, kernels, transport = null, layoutHash } = options;
  const common = { membership, buffers, sparse, memory, kernels };
  if (membership.worldSize === 1) return new TopkCollective({ ...common, gather: null });
  if (transport === null || layoutHash === undefined || (options.choice !== "ring" && options.choice !== "auto"))
    throw new RangeError(`the largest gradients travel round a ring with a transport, not by ${options.choice}`);
  return new TopkCollective({ ...common, gather: new RingGather({ membership, transport, layoutHash }) });
}

function parameterServerOf(options: CollectiveOptions): Collective {
  const { membership, star = null, layoutHash } = options;
  if (star === null) throw new RangeError(`a parameter server for ${membership.worldSize} workers needs a star`);
  return withPacking(
    options,
    (folder) => new ParameterServerCollective({ membership, folder, transport: star, layoutHash }),
  );
}

/** MPI adds float32 numbers: it knows nothing of packed sums. */
function mpiSumOf(options: CollectiveOptions): Collective {
  const { membership, buffers, memory, kernels, mpi } = options;
  if (mpi == null || buffers.packed !== undefined) throw new RangeError("MPI's all-reduce needs MPI, and float32");
  return new MpiSumCollective({ membership, buffers, memory, kernels, mpi });
}

/** Folds all replicas' gradients where they lie; what it rounds sums by stays its own, so that nothing is left to unpack afterwards. */
function shmOf(options: CollectiveOptions): Collective {
  const { membership, buffers, memory, kernels, window = null, layoutHash, sleeper } = options;
  if (window === null) throw new RangeError("shared memory needs a window");
  const { gradients, scalars, sums, scalarSums, board } = window;
  const shared: ExchangeBuffers = { ...buffers, gradients, scalars, sums, scalarSums };
  const packed = buffers.packed === undefined ? null : new PackedSums(buffers.packed, shared, kernels);
  const arc = { from: 0, to: membership.replicas };
  const folder = new BlockFolder({ buffers: shared, memory, kernels, arc, packed });
  const barrier = new WindowBarrier({
    membership,
    layoutHash,
    memory,
    board,
    sleeper: sleeper ?? new FutexSleeper(membership.worldSize),
  });
  return new ShmCollective({ membership, folder, barrier, packed });
}

/** The collective of a group of one worker. @throws RangeError for more than one worker or a wrong number of buffers. */
export function createLocalCollective(options: LocalCollectiveOptions): Collective {
  const { worldSize, replicas } = options.membership;
  const { sparse } = options.buffers;
  if (worldSize === 1 && sparse !== undefined) return topkOf(options, sparse);
  return withPacking(options, (folder) => new LocalCollective(new FoldSchedule(worldSize, replicas), folder));
}

/** What `create` makes of a folder; where sums travel in 16 bits, the folder packs them and the collective unpacks the totals. */
function withPacking(options: LocalCollectiveOptions, create: (folder: BlockFolder) => Collective): Collective {
  const { membership, buffers, memory, kernels } = options;
  const arc = arcOf(membership.rank, membership.worldSize, membership.replicas);
  const packed = buffers.packed === undefined ? null : new PackedSums(buffers.packed, buffers, kernels);
  const collective = create(new BlockFolder({ buffers, memory, kernels, arc, packed }));
  return packed === null ? collective : new PackedCollective(collective, packed, buffers.blocks.blockCount);
}
