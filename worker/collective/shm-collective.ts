import type { BlockFolder } from "./block-folder.js";
import type { Exchange, Membership, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { FoldSchedule } from "./fold-schedule.js";
import { GuardedCollective, type MovedBytes } from "./guarded-collective.js";
import type { PackedSums } from "./packed-sums.js";
import { partOfBlock } from "./part-of-block.js";
import type { WindowBarrier } from "./window-barrier.js";

export interface ShmCollectiveOptions {
  /** At least two workers, all on one host. */
  readonly membership: Membership;
  /** Of all replicas: it reads every worker's gradients where they lie, in the window, and leaves the totals there. */
  readonly folder: BlockFolder;
  readonly barrier: WindowBarrier;
  /** What partial sums are rounded by; its own, not in the window. Null: nothing. */
  readonly packed: PackedSums | null;
}

/** Nothing has to leave while blocks are folded, and a turn takes as long as the half of a block: a millisecond or so between turns will do. */
const BYTES_PER_TURN = 8 * 1024 * 1024;

/**
 * Ordered all-reduce in memory that the workers of one host share, in which gradients and sums lie from the beginning: nothing is sent, and
 * nothing is copied. In an exchange every worker
 * 1. waits until all have computed their gradients;
 * 2. folds an N-th of every block in the schedule's order, to sums that are everybody's;
 * 3. waits until all blocks are folded.
 * All have the same to add, to a cache line, however few blocks there are; and each the same part of every exchange, which its processor's cache
 * may still hold.
 * Cost of each worker: (R − 1)/N additions per element, (R + 1)/N of an arena read and written, two barriers; `bench/simulate/collective-models.ts`
 * says the same.
 *
 * **Why nobody overwrites what others still read.** Gradients of the next step are computed when exchange k is complete: all have folded.
 * Sums of exchange k + 2, which take the places of exchange k's, are written when all have computed the gradients of k + 2, and
 * each does so when it has used the totals of k.
 */
export class ShmCollective extends GuardedCollective {
  readonly name = "shm";
  readonly ordered = true;
  readonly #options: ShmCollectiveOptions;
  readonly #schedule: FoldSchedule;

  /** @throws RangeError for a group of one, or more workers than replicas */
  constructor(options: ShmCollectiveOptions) {
    super();
    const { worldSize, replicas } = options.membership;
    if (worldSize < 2) throw new RangeError(`memory shared by ${worldSize} worker`);
    this.#options = options;
    this.#schedule = new FoldSchedule(worldSize, replicas);
  }

  get totals(): TotalPlaces {
    return this.#options.folder.totals;
  }

  protected async run({ sequence, withArena, scale = 1 }: Exchange, signal: AbortSignal): Promise<MovedBytes> {
    const { folder, membership, barrier, packed } = this.#options;
    const turns = new EventLoopTurns(signal, BYTES_PER_TURN);
    packed?.scaleBy(scale);
    await barrier.pass("partial", sequence, signal);
    let ownBytes = 0;
    let otherBytes = 0;
    for (const [block, bytes] of folder.gradientBytes(withArena).entries()) {
      const length = folder.lengthOf(block);
      const part = partOfBlock(length, membership.rank, membership.worldSize);
      const partBytes = length === 0 ? 0 : (bytes / length) * (part.to - part.from);
      ownBytes += partBytes;
      otherBytes += bytes - partBytes;
      if (part.to > part.from) folder.foldPart(block, sequence, part);
      await turns.after(partBytes * membership.replicas);
    }
    await barrier.pass("total", sequence, signal);
    const local = this.#localReplicas;
    return {
      sentBytes: otherBytes * local + ownBytes,
      receivedBytes: ownBytes * (membership.replicas - local) + otherBytes,
    };
  }

  get #localReplicas(): number {
    const arc = this.#schedule.arcs[this.#options.membership.rank];
    return arc === undefined ? 0 : arc.to - arc.from;
  }
}
