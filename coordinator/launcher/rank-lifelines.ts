import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { deferred } from "../../shared/deferred.js";
import { RingstrasseError } from "../../shared/failure.js";
import { type FromRank, FromRankSchema, type MeetingPoint, type ToRank } from "../../shared/launch/rank-messages.js";
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

/**
 * A connection from each process that an MPI launcher started. The kernel closes it when the process ends, however that is, so a death
 * is known at once and in the order of the deaths: launchers end all ranks when one has died, and only the first is to blame. The other
 * way it brings the exit code of the run.
 */
export class RankLifelines implements AsyncDisposable {
  readonly #server: Server;
  readonly #token: string;
  readonly #ranks = new Map<number, RankProcess>();
  readonly #strangers = new Set<Socket>();
  #handler: RankHandler | null = null;
  #signalHandler: RankSignalHandler | null = null;
  #clockHandler: RankClockHandler | null = null;

  private constructor(server: Server, token: string) {
    this.#server = server;
    this.#token = token;
    server.on("connection", (socket) => this.#greet(socket));
  }

  /** @param place a path for a unix socket, or an address of this host. @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  static async open(place: Place, token: string): Promise<RankLifelines> {
    const server = createServer();
    const lifelines = new RankLifelines(server, token);
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
    for (const socket of this.#strangers) socket.destroy();
    for (const rank of this.#ranks.values()) rank.kill();
    this.#server.close();
    await once(this.#server, "close");
  }

  #greet(socket: Socket): void {
    this.#strangers.add(socket);
    const lines = createInterface({ input: socket });
    let rank: RankProcess | null = null;
    const hear = (line: string): void => {
      const message = messageOf(line);
      if (rank === null && message?.kind === "here" && this.#mayEnter(message)) {
        this.#strangers.delete(socket);
        rank = new RankProcess(socket, message);
        this.#ranks.set(message.rank, rank);
        this.#clockHandler?.(message.clockMs - Date.now(), message);
        this.#handler?.(rank);
        rank.tell({ kind: "welcome" });
      } else if (rank !== null && message?.kind === "signal") {
        this.#signalHandler?.(message.signal, rank.rank);
      } else if (rank !== null && message?.kind === "done") {
        const { exitCode, lastWords } = message;
        rank.over({ exitCode, signal: null, lastWords });
      } else socket.destroy();
    };
    lines.on("line", hear);
    // The stream's own errors are the end of a process; `close` follows.
    socket.on("error", () => socket.destroy());
    lines.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#strangers.delete(socket);
      rank?.over(GONE);
    });
  }

  #mayEnter({ token, rank }: Extract<FromRank, { kind: "here" }>): boolean {
    return !this.#ranks.has(rank) && timingSafeEqual(digest(token), digest(this.#token));
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
  readonly #ended = deferred<WorkerExit>();

  constructor(socket: Socket, { rank, workerId, host, pid }: Extract<FromRank, { kind: "here" }>) {
    this.#socket = socket;
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

  tell(message: ToRank): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Resolves when the process has hung up, or has had the time to. */
  async farewell(exitCode: number): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, "close");
    this.tell({ kind: "exit", exitCode });
    const late = setTimeout(() => this.#socket.destroy(), FAREWELL_MS);
    await closed.finally(() => clearTimeout(late));
  }
}

function messageOf(line: string): FromRank | null {
  try {
    return FromRankSchema.parse(JSON.parse(line));
  } catch {
    // Whoever says something else is no rank: the caller hangs up.
    return null;
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
