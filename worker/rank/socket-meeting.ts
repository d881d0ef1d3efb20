import { hostname } from "node:os";
import { RingstrasseError } from "../../shared/failure.js";
import { type LaunchedPlace, launcherCommand } from "../../shared/launch/launched-place.js";
import type { MeetingPlace } from "../../shared/launch/meeting-place.js";
import type { Rendezvous } from "../../shared/launch/rank-messages.js";
import { rendezvousKey } from "../../shared/launch/rendezvous-proof.js";
import { isLoopback } from "../../shared/transport/is-loopback.js";
import { askRankZero } from "./ask-rank-zero.js";
import { rankAddress } from "./rank-address.js";
import type { RankMeeting } from "./rank-meeting.js";
import { RendezvousServer } from "./rendezvous-server.js";

export interface SocketMeetingOptions {
  readonly place: LaunchedPlace;
  readonly at: MeetingPlace;
  /** What all ranks of the run know and nobody else; null: nothing. */
  readonly secret: string | null;
  /** As the user names it; null: the way to the peers decides. */
  readonly interfaceName: string | null;
  /** To find rank 0. */
  readonly reachMs: number;
}

/**
 * Ranks without MPI (srun, torchrun, Kubernetes) find each other through rank 0: it listens at a place that all can tell from their launcher's
 * variables, and who shows the run's key is told where to meet (ADR 20).
 */
export class SocketMeeting implements RankMeeting {
  readonly mpi = null;
  readonly #options: SocketMeetingOptions;
  readonly #key: Buffer;
  readonly #server: RendezvousServer | null;
  #addressTowardsRankZero: string | null = null;

  private constructor(options: SocketMeetingOptions, key: Buffer, server: RendezvousServer | null) {
    this.#options = options;
    this.#key = key;
    this.#server = server;
  }

  /** Rank 0 listens when this resolves. @throws RingstrasseError USAGE without a secret, ENDPOINT_UNAVAILABLE */
  static async open(options: SocketMeetingOptions): Promise<SocketMeeting> {
    const { place, at, secret } = options;
    const { rank, worldSize, isOneHost, launcher } = place;
    if (secret === null && worldSize > 1) {
      const problem = `${launcherCommand(launcher)} has started ${worldSize} ranks, which know each other by a secret, and there is none`;
      const remedy =
        launcher === "kubernetes"
          ? "Give all pods RINGSTRASSE_TOKEN from one Secret, as deploy/kubernetes/job does"
          : "Before that command: export RINGSTRASSE_TOKEN=$(openssl rand -hex 24), as slurm/train.sbatch does; or start the ranks by mpirun";
      throw new RingstrasseError({ code: "USAGE", option: "--token", problem, remedy });
    }
    const key = rendezvousKey(secret ?? "", at.scope);
    if (rank > 0 || worldSize === 1) return new SocketMeeting(options, key, null);
    const address = isOneHost ? "127.0.0.1" : "0.0.0.0";
    return new SocketMeeting(options, key, await RendezvousServer.open({ address, ports: at.ports, key, worldSize }));
  }

  async share(own: Rendezvous | null, signal: AbortSignal): Promise<Rendezvous> {
    if (own !== null) {
      await this.#server?.say(own);
      return own;
    }
    const { place, at, reachMs } = this.#options;
    const { rank, worldSize } = place;
    const ownHost = hostname();
    // A host's own name often means its loopback address to itself alone.
    const host = at.isHere || at.host === ownHost ? null : at.host;
    const { ports } = at;
    const sought = { rank, worldSize, ownHost, host, ports, key: this.#key, reachMs, signal };
    const { rendezvous, ownAddress } = await askRankZero(sought);
    if (!isLoopback(ownAddress)) this.#addressTowardsRankZero = ownAddress;
    return rendezvous;
  }

  async ownAddress(rankZero: string): Promise<string> {
    const { interfaceName } = this.#options;
    if (interfaceName !== null) return await rankAddress(interfaceName, rankZero);
    return this.#addressTowardsRankZero ?? rankZero;
  }

  finish(): Promise<void> {
    // Nothing that all ranks would have to end together.
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
