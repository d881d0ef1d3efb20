import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { PayloadFormat } from "../../shared/step-rules.js";
import { type RankHosts, THIS_HOST } from "./rank-hosts.js";
import type { FromRank, RankStart, SizePlan, Timing, ToRank } from "./rank-messages.js";
import { TimeLimit } from "./time-limit.js";

const RANK = fileURLToPath(new URL("./rank.js", import.meta.url));

export interface OwnSystem extends Pick<RankStart, "collective" | "transport"> {
  /** Default none: float32. */
  readonly format?: Exclude<PayloadFormat, "topk">;
  /** Default false. */
  readonly encrypt?: boolean;
}

export interface RanksToMeasure {
  readonly ranks: number;
  readonly sizes: readonly SizePlan[];
  /** Of all sizes together, whole milliseconds. */
  readonly limitMs: number;
  /** Default: this one. */
  readonly hosts?: RankHosts;
}

/**
 * Measures the product's own collective, one process a rank.
 * @throws Error when a rank ends early, says something unexpected, or hasn't answered within the limit; all ranks are ended then
 */
export async function measureOwn(
  { collective, transport, format = "none", encrypt = false }: OwnSystem,
  { ranks, sizes, limitMs, hosts = THIS_HOST }: RanksToMeasure,
): Promise<Timing[]> {
  using limit = new TimeLimit(limitMs);
  const children = Array.from({ length: ranks }, (_, rank) => {
    const address = hosts.address(rank);
    return new Rank({ rank, ranks, collective, transport, format, address, encrypt, sizes }, hosts.through(rank));
  });
  const timings: Timing[] = [];
  try {
    for (const { count } of sizes) {
      const bound = await Promise.all(children.map((child) => child.hear("bound", count, limit)));
      const segments = bound.map(({ segment }) => segment);
      const endpoints = bound.map(({ endpoint }) => endpoint);
      for (const child of children) child.say({ kind: "connect", endpoints, segments });
      const measured = await Promise.all(children.map((child) => child.hear("measured", count, limit)));
      for (const child of children) child.say({ kind: "close" });
      const microseconds = Math.max(...measured.map((one) => one.microseconds));
      timings.push({ count, microseconds, wrong: measured.reduce((sum, { wrong }) => sum + wrong, 0) });
    }
    for (const child of children) await child.succeeded(limit);
    return timings;
  } finally {
    for (const child of children) child.kill();
  }
}

class Rank {
  readonly #process: ChildProcess;
  readonly #rank: number;
  readonly #heard: FromRank[] = [];
  /** Its exit code; null: a signal. */
  readonly #ended: Promise<number | null>;

  /** @param through what runs a command on its host; empty: this one */
  constructor(start: RankStart, through: readonly string[]) {
    const child = forkThrough(through, RANK, JSON.stringify(start));
    this.#process = child;
    this.#rank = start.rank;
    this.#ended = once(child, "close").then(([exitCode]) => exitCode as number | null);
    child.on("message", (message: FromRank) => this.#heard.push(message));
  }

  say(message: ToRank): void {
    this.#process.send(message);
  }

  /** Its next message. @param count the size that is being measured @throws Error when it ends, or the time is over, before */
  async hear<K extends FromRank["kind"]>(
    kind: K,
    count: number,
    limit: TimeLimit,
  ): Promise<Extract<FromRank, { kind: K }>> {
    while (this.#heard.length === 0) {
      const { exitCode, signalCode } = this.#process;
      // Of a rank that a signal has ended, the exit code is null for ever.
      if (exitCode !== null || signalCode !== null)
        throw new Error(`rank ${this.#rank} ended: ${signalCode ?? exitCode}`);
      await Promise.race([this.#messageOrEnd(), limit.reached]);
      if (this.#heard.length === 0) limit.check(`rank ${this.#rank}, at ${count} numbers,`);
    }
    const message = this.#heard.shift();
    if (message?.kind !== kind) throw new Error(`rank ${this.#rank} said ${message?.kind} instead of ${kind}`);
    return message as Extract<FromRank, { kind: K }>;
  }

  /** @throws Error when it ends otherwise, or not before the time is over */
  async succeeded(limit: TimeLimit): Promise<void> {
    const exitCode = await Promise.race([this.#ended, limit.reached]);
    if (exitCode === undefined) limit.check(`the end of rank ${this.#rank}`);
    if (exitCode !== 0) throw new Error(`rank ${this.#rank} ended with exit code ${exitCode}`);
  }

  kill(): void {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) this.#process.kill("SIGKILL");
  }

  /** Whichever comes first; leaves no listener behind. */
  async #messageOrEnd(): Promise<void> {
    const over = new AbortController();
    const message = once(this.#process, "message", { signal: over.signal }).catch((thrown: unknown) => {
      if (!over.signal.aborted) throw thrown;
    });
    try {
      await Promise.race([message, this.#ended]);
    } finally {
      over.abort();
    }
  }
}

/** A Node process with a channel to this one, which is handed through the command before it. */
function forkThrough([command, ...args]: readonly string[], script: string, argument: string): ChildProcess {
  const through = command === undefined ? {} : { execPath: command, execArgv: [...args, process.execPath] };
  return fork(script, [argument], { ...through, stdio: ["ignore", "inherit", "inherit", "ipc"] });
}
