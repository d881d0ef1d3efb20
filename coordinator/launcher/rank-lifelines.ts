import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { deferred } from "../../shared/deferred.js";
import { RingstrasseError } from "../../shared/failure.js";
import {
  type LifelineNonces,
  lifelineKey,
  proofOfRankHere,
  proofOfWelcome,
} from "../../shared/launch/lifeline-proof.js";
import { LifelineWords } from "../../shared/launch/lifeline-words.js";
import { LineSocket } from "../../shared/launch/line-socket.js";
import { isProof, newNonce } from "../../shared/launch/proof.js";
import {
  FromRankSchema,
  LIFELINE_VERSION,
  type LifelineChallenge,
  type MeetingPoint,
  type RankHere,
  RankHereSchema,
  type RankWelcome,
  type ToRank,
} from "../../shared/launch/rank-messages.js";
import { Strangers } from "../../shared/launch/strangers.js";
import { understood } from "../../shared/launch/understood.js";
import type { LaunchedWorker, WorkerExit } from "./launcher.js";

type Place = { readonly path: string } | { readonly host: string };

/** Told of each rank as it comes. */
export type RankHandler = (rank: LaunchedWorker) => void;
/** Told of what a rank was sent. */
export type RankSignalHandler = (signal: string, rank: number) => void;
/** Told of a rank's clock: how far it is ahead of this host's, in milliseconds; the way of the message makes it less by some. */
export type RankClockHandler = (aheadMs: number, rank: { readonly rank: number; readonly host: string }) => void;

const GONE: WorkerExit = { exitCode: null, signal: null, lastWords: null };
/** For ranks that hang when they are told to exit. */
const FAREWELL_MS = 1000;
/** Who hasn't shown in this time that it has the run's token is a stranger. A rank has no second try, and its host may be busy. */
const STRANGER_MS = 30_000;

export interface LifelinesOptions {
  /** Of the run. */
  readonly token: string;
  readonly worldSize: number;
  /** For whoever connects, to show the token. Default: half a minute. */
  readonly strangerMs?: number;
}

/**
 * A connection from each process that an MPI launcher started. The kernel closes it when the process ends, however that is, so a death
 * is known at once and in the order of the deaths: launchers end all ranks when one has died, and only the first is to blame. The other
 * way it brings the exit code of the run.
 */
export class RankLifelines implements AsyncDisposable {
  readonly #server: Server;
  readonly #key: Buffer;
  readonly #strangerMs: number;
  readonly #ranks = new Map<number, RankProcess>();
  readonly #strangers: Strangers;
  #handler: RankHandler | null = null;
  #signalHandler: RankSignalHandler | null = null;
  #clockHandler: RankClockHandler | null = null;

  private constructor(server: Server, { token, worldSize, strangerMs = STRANGER_MS }: LifelinesOptions) {
    this.#server = server;
    this.#key = lifelineKey(token);
    this.#strangerMs = strangerMs;
    this.#strangers = new Strangers(worldSize);
    server.on("connection", (socket) => void this.#greet(socket));
  }

  /** @param place a path for a unix socket, or an address of this host. @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  static async open(place: Place, options: LifelinesOptions): Promise<RankLifelines> {
    const server = createServer();
    const lifelines = new RankLifelines(server, options);
    try {
      server.listen("path" in place ? { path: place.path } : { host: place.host, port: 0 });
      await once(server, "listening");
      return lifelines;
    } catch (cause) {
      const endpoint = "path" in place ? place.path : `${place.host}:0`;
      const problem = cause instanceof Error ? cause.message : String(cause);
      const remedy = "Give this host's address by --host";
      throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy }, { cause });
    }
  }

  /** Where ranks connect to. */
  get place(): MeetingPoint["lifeline"] {
    const address = this.#server.address();
    if (typeof address === "string") return { path: address };
    if (address === null) throw new Error("the lifelines are closed");
    return { host: address.address, port: address.port };
  }

  /** Hears of every rank that comes, once. */
  onRank(handler: RankHandler): void {
    this.#handler = handler;
  }

  /** Hears of the signals that ranks were sent. */
  onSignal(handler: RankSignalHandler): void {
    this.#signalHandler = handler;
  }

  /** Hears of the clock of every rank that comes, once. */
  onClock(handler: RankClockHandler): void {
    this.#clockHandler = handler;
  }

  /** Tells all ranks with what code to exit, and hangs up. */
  async farewell(exitCode: number): Promise<void> {
    await Promise.all([...this.#ranks.values()].map((rank) => rank.farewell(exitCode)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#strangers[Symbol.dispose]();
    for (const rank of this.#ranks.values()) rank.kill();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #greet(socket: Socket): Promise<void> {
    this.#strangers.add(socket);
    using line = new LineSocket(socket);
    const shown = await orNull(this.#shown(line));
    if (shown === null || this.#ranks.has(shown.here.rank)) return;
    const { here, nonces } = shown;
    this.#strangers.admit(socket);
    const rank = new RankProcess(socket, here, new LifelineWords(this.#key, nonces, "coordinator"));
    this.#ranks.set(here.rank, rank);
    socket.once("close", () => rank.over(GONE));
    this.#clockHandler?.(here.clockMs - Date.now(), here);
    this.#handler?.(rank);
    line.send({ kind: "welcome", proof: proofOfWelcome(this.#key, nonces, here.rank) } satisfies RankWelcome);
    const words = new LifelineWords(this.#key, nonces, "rank");
    for (;;) {
      const message = await orNull(line.next(null).then((said) => understood(FromRankSchema, words.heard(said))));
      if (message === null) return;
      if (message.kind === "signal") this.#signalHandler?.(message.signal, here.rank);
      else rank.over({ exitCode: message.exitCode, signal: null, lastWords: message.lastWords });
    }
  }

  /** @returns what a rank shows of itself. @throws Error when whoever it is does not belong here */
  async #shown(line: LineSocket): Promise<{ readonly here: RankHere; readonly nonces: LifelineNonces }> {
    const coordinator = newNonce();
    line.send({ kind: "challenge", version: LIFELINE_VERSION, nonce: coordinator } satisfies LifelineChallenge);
    const here = understood(RankHereSchema, await line.next(AbortSignal.timeout(this.#strangerMs)));
    const nonces = { coordinator, rank: here.nonce };
    if (!isProof(here.proof, proofOfRankHere(this.#key, nonces, here))) throw new Error("it lacks the run's token");
    return { here, nonces };
  }
}

/** One rank's process, at the other end of its lifeline. */
class RankProcess implements LaunchedWorker {
  readonly index: number;
  readonly rank: number;
  readonly workerId: string;
  readonly host: string;
  readonly pid: number;
  readonly #socket: Socket;
  readonly #words: LifelineWords;
  readonly #ended = deferred<WorkerExit>();

  /** @param words the coordinator's to this rank */
  constructor(socket: Socket, { rank, workerId, host, pid }: RankHere, words: LifelineWords) {
    this.#socket = socket;
    this.#words = words;
    this.index = rank;
    this.rank = rank;
    this.workerId = workerId;
    this.host = host;
    this.pid = pid;
  }

  /** Resolves when its work is over, or the process is. */
  get ended(): Promise<WorkerExit> {
    return this.#ended.promise;
  }

  over(exit: WorkerExit): void {
    this.#ended.resolve(exit);
  }

  /** Hangs up: the process ends itself, or is ended by its launcher when the others have ended. */
  kill(): void {
    this.#socket.destroy();
  }

  /** Resolves when the process has hung up, or has had the time to. */
  async farewell(exitCode: number): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, "close");
    const exit = this.#words.sign({ kind: "exit", exitCode } satisfies ToRank);
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(exit)}\n`);
    const late = setTimeout(() => this.#socket.destroy(), FAREWELL_MS);
    await closed.finally(() => clearTimeout(late));
  }
}

/** Null: it has hung up, or is no rank, which comes to the same: the caller hangs up. */
async function orNull<T>(heard: Promise<T>): Promise<T | null> {
  try {
    return await heard;
  } catch {
    return null;
  }
}
