import type { RingTransport } from "../transport/ring-transport.js";
import type { BlockFolder } from "./block-folder.js";
import type { Exchange, Membership, TotalPlaces } from "./collective.js";
import { FoldSchedule, type Traffic } from "./fold-schedule.js";
import { layoutTag } from "./frame-header.js";
import { GuardedCollective, type MovedBytes } from "./guarded-collective.js";
import { RingExchange } from "./ring-exchange.js";

export interface RingCollectiveOptions {
  /** What it is called in results: by the link that it runs over. */
  readonly name: "ring" | "hierarchical" | "mpi";
  /** At least two workers. */
  readonly membership: Membership;
  readonly folder: BlockFolder;
  /** Connected to the next worker. Stays the caller's: dispose of it after the collective. */
  readonly transport: RingTransport;
  /** The transport sends gradients from where they lie as fast as sums; a mirrored one mirrors sums alone. */
  readonly sendsGradients: boolean;
  /** Names what is exchanged (shared/arena-layout.ts), so that workers with different models refuse each other. */
  readonly layoutHash: string;
}

/**
 * Ordered ring all-reduce: sums of blocks travel round the ring as the schedule says (fold-schedule.ts), folded and forwarded
 * frame by frame, and totals travel on to everybody. About 2·(N − 1)/N of the payload leaves each worker. A ring with totals
 * in a second pass is Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms" (2009); the order of the fold is ours.
 *
 * **Why two sets of sums are enough.** Sums are sent from their place, and the transport may read them after `send` has
 * returned, until the next worker S has received them. Three cases of writing to a place that has been sent:
 * 1. Within exchange k, over a partial sum, when the partial sum comes round or the total arrives: what arrives was computed
 *    from what S received, so S has it.
 * 2. In exchange k + 2, which uses the set of exchange k again: this worker has completed k + 1. Every block passes every
 *    worker (block 0 at least is in every exchange), so S has taken part in k + 1; S starts k + 1 only when it has completed
 *    k, that is, has received every frame of k. S copies payloads at receipt, so that nobody reads the set any more.
 * 3. Gradients and scalars of replicas, when the exchange has returned: where a block is opened with one replica's they are sent from their
 *    place, but the block's total, which has come since, was computed from what S received.
 * Received frames are put where the block's sum belongs as soon as they are there (`Landing`), by the first case again.
 * After a failure nothing of this holds: dispose of the transport before writing to the sums again, or use others.
 *
 * **Why no frame of exchange k + 1 can come early.** The previous worker starts k + 1 after it has sent all its frames of k, and
 * a link keeps order. So such a frame here, while some of k are missing, means that frames were lost: PROTOCOL_VIOLATION. A
 * faster predecessor's frames wait in the transport; it can't get further ahead than the frames it opens k + 1 with.
 *
 * **Ending.** The last frames sent may still be on their way when `allReduce` resolves. Closing the transport discards them: close
 * when all workers are known to have completed the last exchange.
 */
export class RingCollective extends GuardedCollective {
  readonly name: string;
  readonly ordered = true;
  readonly #options: RingCollectiveOptions;
  readonly #schedule: FoldSchedule;
  readonly #layout: bigint;
  readonly #traffic: { readonly withArena: Traffic; readonly scalars: Traffic };
  #staleFrames = 0;

  /** @throws RangeError for a ring of one, more workers than replicas, or a malformed hash. */
  constructor(options: RingCollectiveOptions) {
    super();
    const { membership, folder, layoutHash } = options;
    if (membership.worldSize < 2) throw new RangeError(`a ring of ${membership.worldSize} worker`);
    this.name = options.name;
    this.#options = options;
    this.#schedule = new FoldSchedule(membership.worldSize, membership.replicas);
    this.#layout = layoutTag(layoutHash);
    this.#traffic = {
      withArena: this.#schedule.traffic(membership.rank, folder.blockBytes(true)),
      scalars: this.#schedule.traffic(membership.rank, folder.blockBytes(false)),
    };
  }

  /** Frames of older generations dropped so far. */
  get staleFrames(): number {
    return this.#staleFrames;
  }

  get totals(): TotalPlaces {
    return this.#options.folder.totals;
  }

  protected async run(exchange: Exchange, signal: AbortSignal): Promise<MovedBytes> {
    const { membership, folder, transport, sendsGradients } = this.#options;
    const run = new RingExchange({
      exchange,
      membership,
      schedule: this.#schedule,
      folder,
      transport,
      sendsGradients,
      layout: this.#layout,
      expected: exchange.withArena ? this.#traffic.withArena : this.#traffic.scalars,
    });
    try {
      return await run.run(signal);
    } finally {
      this.#staleFrames += run.staleFrames;
    }
  }
}
