import { access, readdir } from "node:fs/promises";
import process from "node:process";
import { outputOf } from "../support/run-command.js";
import { burstBytes, type LinkShape } from "./link-shape.js";
import type { RankHosts } from "./rank-hosts.js";

const NAMESPACES = "/run/netns";
const PREFIX = "ringstrasse-bench";
const INTERFACE = "e0";
const RANKS = [0, 1] as const;
/** Longest that a packet waits to be sent. */
const QUEUE = "50ms";

/**
 * Two hosts, as far as networks are concerned, and the link between them: network namespaces with a virtual cable, each end limited to a
 * rate by the kernel's token bucket (tc-tbf), each losing packets at random as they arrive (iptables). Linux, root, iproute2, and iptables
 * where packets are lost. Gone when disposed of; what a benchmark that was killed has left behind goes when the next one starts.
 */
export class ShapedLink implements RankHosts, AsyncDisposable {
  readonly networkInterface = INTERFACE;
  readonly #namespaces: readonly string[];

  private constructor(namespaces: readonly string[]) {
    this.#namespaces = namespaces;
  }

  /** @throws Error that says what this takes, or what failed */
  static async start(shape: LinkShape): Promise<ShapedLink> {
    if (process.getuid?.() !== 0)
      throw new Error('making network namespaces takes root: run this by sudo env "PATH=$PATH" npm run bench:links');
    await removeLeftBehind();
    const link = new ShapedLink(RANKS.map((rank) => `${PREFIX}-${process.pid}-${rank}`));
    try {
      await link.#make(shape);
    } catch (thrown) {
      await link[Symbol.asyncDispose]();
      throw thrown;
    }
    return link;
  }

  address(rank: number): string {
    return `10.88.0.${rank + 1}`;
  }

  through(rank: number): readonly string[] {
    return ["nsenter", `--net=${NAMESPACES}/${this.#name(rank)}`];
  }

  /** What the kernel says of it, read back: addresses, queues with what they have sent, rules with what they have dropped. */
  async topology(): Promise<string[]> {
    const commands = RANKS.flatMap((rank) => [
      ["ip", "-n", this.#name(rank), "-brief", "address", "show", INTERFACE],
      ["tc", "-n", this.#name(rank), "-statistics", "qdisc", "show", "dev", INTERFACE],
      [...this.through(rank), "iptables", "-nvxL", "INPUT"],
    ]);
    const texts: string[] = [];
    for (const command of commands) texts.push((await outputOf(command)).trim());
    return texts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#namespaces) if (await isThere(name)) await outputOf(["ip", "netns", "delete", name]);
  }

  async #make(shape: LinkShape): Promise<void> {
    for (const name of this.#namespaces) await outputOf(["ip", "netns", "add", name]);
    const [here, there] = RANKS.map((rank) => this.#name(rank));
    const ends = [
      "name",
      INTERFACE,
      "netns",
      here ?? "",
      "type",
      "veth",
      "peer",
      "name",
      INTERFACE,
      "netns",
      there ?? "",
    ];
    await outputOf(["ip", "link", "add", ...ends]);
    for (const rank of RANKS) await this.#shapeEnd(rank, shape);
  }

  async #shapeEnd(rank: number, shape: LinkShape): Promise<void> {
    const ip = ["ip", "-n", this.#name(rank)];
    const { gbps, lossPercent } = shape;
    await outputOf([...ip, "address", "add", `${this.address(rank)}/24`, "dev", INTERFACE]);
    // Else dozens of a stream's packets travel, and are lost, as one.
    if (lossPercent > 0) await outputOf([...ip, "link", "set", "dev", INTERFACE, "gso_max_segs", "1"]);
    for (const name of ["lo", INTERFACE]) await outputOf([...ip, "link", "set", "dev", name, "up"]);
    const rate = ["rate", `${Math.round(gbps * 1000)}mbit`, "burst", `${burstBytes(shape)}b`, "latency", QUEUE];
    await outputOf(["tc", "-n", this.#name(rank), "qdisc", "add", "dev", INTERFACE, "root", "tbf", ...rate]);
    if (lossPercent === 0) return;
    const random = ["-m", "statistic", "--mode", "random", "--probability", `${lossPercent / 100}`];
    await outputOf([...this.through(rank), "iptables", "-A", "INPUT", "-i", INTERFACE, ...random, "-j", "DROP"]);
  }

  #name(rank: number): string {
    return this.#namespaces[rank] ?? "";
  }
}

/** Of benchmarks that are no more. */
async function removeLeftBehind(): Promise<void> {
  const names = await readdir(NAMESPACES).catch((thrown: NodeJS.ErrnoException) => {
    // Nobody has ever made one.
    if (thrown.code === "ENOENT") return [];
    throw thrown;
  });
  for (const name of names) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-\\d+$`).exec(name)?.[1];
    if (pid !== undefined && !(await exists(`/proc/${pid}`))) await outputOf(["ip", "netns", "delete", name]);
  }
}

function isThere(namespace: string): Promise<boolean> {
  return exists(`${NAMESPACES}/${namespace}`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
