import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FromRank, RankStart, SizePlan, Timing, ToRank } from "./rank-messages.js";

const RANK = fileURLToPath(new URL("./rank.js", import.meta.url));

/**
 * Measures the product's own collective, one process a rank.
 * @throws Error when a rank ends early or says something unexpected; all ranks are ended then
 */
export async function measureOwn(
  ranks: number,
  { collective, transport }: Pick<RankStart, "collective" | "transport">,
  sizes: readonly SizePlan[],
): Promise<Timing[]> {
  const children = Array.from({ length: ranks }, (_, rank) => {
    const start: RankStart = { rank, ranks, collective, transport, sizes };
    return new Rank(fork(RANK, [JSON.stringify(start)], { stdio: ["ignore", "inherit", "inherit", "ipc"] }), rank);
  });
  const timings: Timing[] = [];
  try {
    for (const { count } of sizes) {
      const bound = await Promise.all(children.map((child) => child.hear("bound")));
      const segments = bound.map(({ segment }) => segment);
      for (const [rank, child] of children.entries()) {
        child.say({ kind: "connect", next: bound[(rank + 1) % ranks]?.endpoint ?? "", segments });
      }
      const measured = await Promise.all(children.map((child) => child.hear("measured")));
      for (const child of children) child.say({ kind: "close" });
      const microseconds = Math.max(...measured.map((one) => one.microseconds));
      timings.push({ count, microseconds, wrong: measured.reduce((sum, { wrong }) => sum + wrong, 0) });
    }
    for (const [rank, exitCode] of (await Promise.all(children.map((child) => child.ended))).entries()) {
      if (exitCode !== 0) throw new Error(`rank ${rank} ended with exit code ${exitCode}`);
    }
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
  readonly ended: Promise<number | null>;

  constructor(child: ChildProcess, rank: number) {
    this.#process = child;
    this.#rank = rank;
    this.ended = once(child, "close").then(([exitCode]) => exitCode as number | null);
    child.on("message", (message: FromRank) => this.#heard.push(message));
  }

  say(message: ToRank): void {
    this.#process.send(message);
  }

  async hear<K extends FromRank["kind"]>(kind: K): Promise<Extract<FromRank, { kind: K }>> {
    while (this.#heard.length === 0) {
      if (this.#process.exitCode !== null) throw new Error(`rank ${this.#rank} ended: ${this.#process.exitCode}`);
      await Promise.race([once(this.#process, "message"), this.ended]);
    }
    const message = this.#heard.shift();
    if (message?.kind !== kind) throw new Error(`rank ${this.#rank} said ${message?.kind} instead of ${kind}`);
    return message as Extract<FromRank, { kind: K }>;
  }

  kill(): void {
    if (this.#process.exitCode === null) this.#process.kill("SIGKILL");
  }
}
