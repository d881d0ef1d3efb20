import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { HOST_SCRIPT, HostNetwork, hostsProblem, networkFolder } from "./host-network.js";

/** Each with the Debian package that brings it. */
const NEEDED = ["slurmctld", "slurmd", "sbatch (slurm-client)", "munged (munge)"];

/** Why no Slurm can be had on this machine; null: it can. `.ci/run` installs what is missing. */
export function slurmProblem(): string | null {
  return hostsProblem(NEEDED);
}

/** A real Slurm with a login node and some compute nodes, see `test/cluster/slurm-cluster.sh`. */
export class SlurmCluster extends HostNetwork {
  static override async start(nodes: number): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(await networkFolder());
    await cluster.bringUp("up", nodes);
    return cluster;
  }

  /** What runs on a node from now on finds an empty folder there. */
  async hideFolder(node: string, path: string): Promise<void> {
    const pid = (await readFile(join(this.folder, `slurmd-${node}.pid`), "utf8")).trim();
    await promisify(execFile)("nsenter", [`--mount=/proc/${pid}/ns/mnt`, "mount", "-t", "tmpfs", "none", path]);
  }

  /** Pulls a node's cable. */
  async cutOff(node: string): Promise<void> {
    await promisify(execFile)(HOST_SCRIPT, ["link", this.folder, node, "down"]);
  }

  /** Resolves when Slurm counts with the node again. */
  async reconnect(node: string): Promise<void> {
    await promisify(execFile)(HOST_SCRIPT, ["link", this.folder, node, "up"]);
    for (;;) {
      const { stdout } = await this.run("login", ["sinfo", "--noheader", `--nodes=${node}`, "--format=%t"]);
      if (/^idle$/m.test(stdout)) return;
      await setTimeout(100);
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.run("login", ["scancel", "--full", "--signal=KILL", "--user=root"]);
    await super[Symbol.asyncDispose]();
  }
}
