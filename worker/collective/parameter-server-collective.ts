import type { StarTransport } from "../transport/star-transport.js";
import type { BlockFolder } from "./block-folder.js";
import { ClientExchange } from "./client-exchange.js";
import type { Exchange, Membership, TotalPlaces } from "./collective.js";
import { FoldSchedule } from "./fold-schedule.js";
import { layoutTag } from "./frame-header.js";
import { GuardedCollective, type MovedBytes } from "./guarded-collective.js";
import { ServerExchange } from "./server-exchange.js";
import { StarFrames } from "./star-frames.js";

/** Folds what all others send. */
export const SERVER_RANK = 0;

export interface ParameterServerOptions {
  /** At least two workers. */
  readonly membership: Membership;
  /** On the server its buffers need an `inbox`. */
  readonly folder: BlockFolder;
  /** The server's is connected to all others, theirs to the server. Stays the caller's: dispose of it after the collective. */
  readonly transport: StarTransport;
  /** Names what is exchanged (shared/arena-layout.ts), so that workers with different models refuse each other. */
  readonly layoutHash: string;
}

/**
 * Ordered all-reduce through one worker: rank 0, the server, gets every replica's gradients, folds each block in the schedule's order and
 * sends the totals to all. The oldest of distributed training's exchanges (Li et al., "Scaling distributed machine learning with the
 * parameter server", 2014, with one server; MagmaDNN's master-worker reduce): 2·(N − 1)·P floats through the server's link where R = N,
 * and no more than two hops for anybody. Gradients travel as float32 also where sums travel in 16 bits: they are rounded as they are added.
 *
 * **Why two sets of sums are enough**, though totals are sent from their place, and read by the transport after `send` has returned. The
 * server writes the set of exchange k again in k + 2, when it has completed k + 1, to which every client has sent something (each has a
 * replica, and block 0 is in every exchange); a client begins k + 1 when it has all totals of k, and copies them at receipt. Gradients are
 * sent from their place too: when a client has all totals, the server has had all its gradients.
 *
 * **Why no frame of exchange k + 1 can come early.** Nobody has the last total of k before the server has every gradient of k; and totals of
 * k + 1 follow those of k on the same link. So such a frame here, while some of k are missing, means that frames were lost.
 *
 * **Memory.** Beside the arenas the server holds, of each client, what its window lets it send ahead: see client-exchange.ts.
 *
 * **Ending.** The last totals may still be on their way when `allReduce` resolves. Closing the transport discards them: close when all
 * workers are known to have completed the last exchange.
 */
export class ParameterServerCollective extends GuardedCollective {
  readonly name = "parameter-server";
  readonly ordered = true;
  readonly #options: ParameterServerOptions;
  readonly #schedule: FoldSchedule;
  readonly #layout: bigint;
  #staleFrames = 0;

  /** @throws RangeError for a group of one, more workers than replicas, or a malformed hash. */
  constructor(options: ParameterServerOptions) {
    super();
    const { worldSize, replicas } = options.membership;
    if (worldSize < 2) throw new RangeError(`a parameter server for ${worldSize} worker`);
    this.#options = options;
    this.#schedule = new FoldSchedule(worldSize, replicas);
    this.#layout = layoutTag(options.layoutHash);
  }

  /** Frames of older generations dropped so far. */
  get staleFrames(): number {
    return this.#staleFrames;
  }

  get totals(): TotalPlaces {
    return this.#options.folder.totals;
  }

  protected async run(exchange: Exchange, signal: AbortSignal): Promise<MovedBytes> {
    const { membership, folder, transport } = this.#options;
    const { rank, replicas } = membership;
    const arc = this.#schedule.arcs[rank] ?? { from: 0, to: 0 };
    const blocks = folder.blockBytes(exchange.withArena).length;
    const isServer = rank === SERVER_RANK;
    const expectedFrames = isServer ? blocks * (replicas - (arc.to - arc.from)) : blocks;
    const frames = new StarFrames({ membership, exchange, transport, layout: this.#layout, expectedFrames });
    const common = { exchange, membership, folder, frames };
    const run = isServer
      ? new ServerExchange({ ...common, schedule: this.#schedule })
      : new ClientExchange({ ...common, arc, server: SERVER_RANK });
    try {
      await run.run(signal);
    } finally {
      this.#staleFrames += frames.stale;
    }
    const { sentBytes, receivedBytes } = frames;
    return { sentBytes, receivedBytes };
  }
}
