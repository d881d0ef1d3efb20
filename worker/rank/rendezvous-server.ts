import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { hostname } from "node:os";
import { deferred } from "../../shared/deferred.js";
import { RingstrasseError } from "../../shared/failure.js";
import { EphemeralKey } from "../../shared/launch/ephemeral-key.js";
import { LineSocket } from "../../shared/launch/line-socket.js";
import { isProof, newNonce } from "../../shared/launch/proof.js";
import type { Rendezvous } from "../../shared/launch/rank-messages.js";
import { RankAsksSchema, RankShowsSchema, type RendezvousMessage } from "../../shared/launch/rendezvous-messages.js";
import { proofOfRank, proofOfRankZero } from "../../shared/launch/rendezvous-proof.js";
import { RendezvousSeal } from "../../shared/launch/rendezvous-seal.js";
import { Strangers } from "../../shared/launch/strangers.js";
import { understood } from "../../shared/launch/understood.js";
import { isSystemError } from "../../shared/write-failure.js";

/** Who doesn't show the key in this time is a stranger. */
const STRANGER_MS = 10_000;
/** Before a run that ended early leaves ranks behind that have not come yet. */
const LAST_CALL_MS = 5000;

export interface RendezvousServerOptions {
  /** To listen at: any address of this host, or its own alone. */
  readonly address: "0.0.0.0" | "127.0.0.1";
  /** The first that is free. */
  readonly ports: readonly number[];
  readonly key: Buffer;
  readonly worldSize: number;
}

/**
 * Rank 0's side of a rendezvous without MPI: listens, and tells every rank that shows the run's key where to meet, as soon as that is
 * known, so that nobody else can read it. Ranks may come before or after.
 */
export class RendezvousServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #key: Buffer;
  readonly #worldSize: number;
  readonly #sockets = new Set<Socket>();
  readonly #strangers: Strangers;
  readonly #said = deferred<Rendezvous>();
  readonly #told = new Set<number>();
  readonly #allTold = deferred<void>();

  private constructor(server: Server, { key, worldSize }: RendezvousServerOptions) {
    this.#server = server;
    this.#key = key;
    this.#worldSize = worldSize;
    this.#strangers = new Strangers(worldSize);
    server.on("connection", (socket) => void this.#greet(socket));
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE when none of the ports is free */
  static async open(options: RendezvousServerOptions): Promise<RendezvousServer> {
    const { address, ports } = options;
    for (const port of ports) {
      const server = createServer();
      try {
        server.listen({ host: address, port });
        await once(server, "listening");
        return new RendezvousServer(server, options);
      } catch (cause) {
        if (!isSystemError(cause) || cause.code !== "EADDRINUSE") throw unavailable(address, [port], cause);
      }
    }
    throw unavailable(address, ports, null);
  }

  /** The one of the ports that was free. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the rendezvous is closed");
    return address.port;
  }

  /** Once: to all who wait, and all who come later. When the run is over already, waits some seconds for those. */
  async say(rendezvous: Rendezvous): Promise<void> {
    this.#said.resolve(rendezvous);
    if (rendezvous.kind === "meet" || this.#worldSize === 1) return;
    const late = setTimeout(() => this.#allTold.resolve(), LAST_CALL_MS);
    await this.#allTold.promise.finally(() => clearTimeout(late));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  async #greet(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    this.#strangers.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    using line = new LineSocket(socket);
    try {
      const { rank, seal } = await this.#check(line, AbortSignal.timeout(STRANGER_MS));
      this.#strangers.admit(socket);
      const sealed = seal.close(JSON.stringify(await this.#said.promise));
      line.send({ kind: "say", sealed } satisfies RendezvousMessage);
      line.end();
      await once(socket, "finish");
      this.#told.add(rank);
      if (this.#told.size === this.#worldSize - 1) this.#allTold.resolve();
    } catch {
      // A stranger, or a rank that has died, of which the coordinator hears. Whoever it is: this ends with its socket.
      socket.destroy();
    }
  }

  async #check(line: LineSocket, signal: AbortSignal) {
    const { nonce, publicKey } = understood(RankAsksSchema, await line.next(signal));
    const own = new EphemeralKey();
    const greetings = { rank: { nonce, publicKey }, rankZero: { nonce: newNonce(), publicKey: own.publicKey } };
    const proof = proofOfRankZero(this.#key, greetings);
    line.send({ kind: "answer", ...greetings.rankZero, proof } satisfies RendezvousMessage);
    const shown = understood(RankShowsSchema, await line.next(signal));
    if (!isProof(shown.proof, proofOfRank(this.#key, greetings, shown))) throw new Error("no key");
    const { rank, worldSize } = shown;
    if (worldSize !== this.#worldSize || rank >= worldSize) throw new Error("another world");
    const seal = new RendezvousSeal({ key: this.#key, own, otherPublicKey: publicKey, greetings, claim: shown });
    return { rank, seal };
  }
}

function unavailable(address: string, ports: readonly number[], cause: unknown): RingstrasseError {
  const endpoint = `${address}:${ports.join(", ")}`;
  const why = cause instanceof Error ? cause.message : "others on this host listen at all of these ports";
  const remedy =
    "Give all ranks MASTER_PORT, the first of eight ports that are free on rank 0's host, and MASTER_ADDR, its address";
  const failure = { code: "ENDPOINT_UNAVAILABLE", endpoint, problem: `${hostname()}: ${why}`, remedy } as const;
  return new RingstrasseError(failure, { cause });
}
