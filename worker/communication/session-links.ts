import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SERVER_RANK } from "../collective/parameter-server-collective.js";
import type { Mpi } from "../mpi/mpi.js";
import { noMpi } from "../mpi/mpi-failure.js";
import { type FrameListener, HeardRing, HeardStar } from "../transport/heard-links.js";
import { MpiRingTransport } from "../transport/mpi-ring-transport.js";
import { openRingLink } from "../transport/open-ring-link.js";
import type { RingTransport } from "../transport/ring-transport.js";
import type { StarTransport } from "../transport/star-transport.js";
import { ZeromqStarTransport } from "../transport/zeromq-star-transport.js";
import type { RingPlan } from "./thread-messages.js";

type Transport =
  | { readonly shape: "ring"; readonly end: RingTransport }
  | { readonly shape: "star"; readonly end: StarTransport };

/** What a plan says of the links alone. */
export type LinksPlan = Pick<RingPlan, "membership" | "transport" | "collectives" | "address" | "linkKeys">;

/** One worker's ends of the links of a generation: to its neighbours on a ring, or to and from the server in a star. */
export class SessionLinks implements AsyncDisposable {
  readonly #plan: LinksPlan;
  readonly #transport: Transport;
  /** Holds the unix socket of ipc links; null: there is none, or nobody has to find it any more. */
  #folder: string | null;

  private constructor(plan: LinksPlan, transport: Transport, folder: string | null = null) {
    this.#plan = plan;
    this.#transport = transport;
    this.#folder = folder;
  }

  /**
   * @param mpi of this process, if it is a rank.
   * @param heard told of every frame that has come
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE, COLLECTIVE_UNAVAILABLE
   */
  static async bind(plan: LinksPlan, mpi: Mpi | null, heard: FrameListener): Promise<SessionLinks> {
    if (plan.collectives.includes("mpi")) {
      if (mpi === null) throw noMpi();
      const { generation } = plan.membership;
      const end = new HeardRing(new MpiRingTransport({ mpi, generation }), heard);
      return new SessionLinks(plan, { shape: "ring", end });
    }
    const folder = plan.transport === "ipc" ? await mkdtemp(join(tmpdir(), "ringstrasse-")) : null;
    const endpoint = folder === null ? `tcp://${plan.address}:0` : `ipc://${join(folder, "ring")}`;
    try {
      return new SessionLinks(plan, await bindZeromq(plan, endpoint, heard), folder);
    } catch (cause) {
      await removeFolder(folder);
      throw cause;
    }
  }

  /** Where the others find this worker. */
  get endpoint(): string {
    return this.#transport.end.endpoint;
  }

  /** Null: the links form a star. */
  get ring(): RingTransport | null {
    return this.#transport.shape === "ring" ? this.#transport.end : null;
  }

  /** Null: the links form a ring. */
  get star(): StarTransport | null {
    return this.#transport.shape === "star" ? this.#transport.end : null;
  }

  /** @param endpoints by rank. @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  connect(endpoints: readonly string[]): void {
    const { rank, worldSize } = this.#plan.membership;
    const { shape, end } = this.#transport;
    if (shape === "ring") {
      end.connect(endpointOf((rank + 1) % worldSize, endpoints));
      return;
    }
    for (const peer of endpoints.keys()) {
      if (peer !== rank && (rank === SERVER_RANK || peer === SERVER_RANK))
        end.connect(peer, endpointOf(peer, endpoints));
    }
  }

  /**
   * Everybody who connects to this end has done so: it can't be found any more, so that a process that is killed leaves nothing behind.
   * Links that stand go on. Idempotent; never rejects.
   */
  async hide(): Promise<void> {
    if (this.#folder === null) return;
    const folder = this.#folder;
    this.#folder = null;
    // Nothing depends on it: what can't be removed now is found when the links are closed.
    await removeFolder(folder).catch(() => {
      this.#folder = folder;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.end[Symbol.asyncDispose]();
    await removeFolder(this.#folder);
  }
}

async function removeFolder(folder: string | null): Promise<void> {
  if (folder !== null) await rm(folder, { recursive: true, force: true });
}

async function bindZeromq(
  { collectives, linkKeys }: LinksPlan,
  endpoint: string,
  heard: FrameListener,
): Promise<Transport> {
  return collectives.includes("parameter-server")
    ? { shape: "star", end: new HeardStar(await ZeromqStarTransport.bind(endpoint, linkKeys), heard) }
    : { shape: "ring", end: new HeardRing(await openRingLink(endpoint, linkKeys), heard) };
}

function endpointOf(rank: number, endpoints: readonly string[]): string {
  const endpoint = endpoints[rank];
  if (endpoint === undefined) throw new RangeError(`no endpoint of rank ${rank}`);
  return endpoint;
}
