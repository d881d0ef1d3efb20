import { type ExecFileException, execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { isOnPath } from "./is-on-path.js";
import { ROOT } from "./run-command.js";

const SCRIPT = join(ROOT, "test/cluster/slurm-cluster.sh");
/** Each with the Debian package that brings it. */
const NEEDED = ["slurmctld", "slurmd", "sbatch (slurm-client)", "munged (munge)", "ip (iproute2)"];

/** Between stdin, stdout and a port of the host that it runs on. */
const PIPE = `const socket = require("node:net").connect(process.argv[1], "127.0.0.1");
socket.on("error", () => process.exit(1));
process.stdin.pipe(socket).pipe(process.stdout);`;

/** Why no Slurm can be had on this machine; null: it can. `.ci/run` installs what is missing. */
export function slurmProblem(): string | null {
  const missing = NEEDED.filter((each) => !isOnPath(each.split(" ")[0] ?? ""));
  if (missing.length > 0) return `without ${missing.join(", ")}`;
  const { status, stderr } = spawnSync("unshare", ["--net", "--uts", "--mount", "true"], { encoding: "utf8" });
  return status === 0 ? null : `without the right to make namespaces: ${stderr.trim()}`;
}

export interface ClusterCommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real Slurm with a login node and some compute nodes, see `test/cluster/slurm-cluster.sh`. */
export class SlurmCluster implements AsyncDisposable {
  readonly folder: string;
  readonly #reached: Server[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(nodes: number): Promise<SlurmCluster> {
    // Short: sockets lie in it, and interfaces of the kernel bear its name.
    const cluster = new SlurmCluster(await mkdtemp(join(tmpdir(), "rs-")));
    await promisify(execFile)(SCRIPT, ["up", cluster.folder, String(nodes)]);
    return cluster;
  }

  /** Runs a command on a node, `login` or `node1` and so on, to its end. */
  run(node: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ClusterCommandEnd> {
    return new Promise((resolve, reject) => {
      const report = (error: ExecFileException | null, stdout: string, stderr: string): void => {
        if (typeof error?.code === "string") reject(error);
        else resolve({ exitCode: error?.code ?? (error === null ? 0 : 1), stdout, stderr });
      };
      const options = { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 };
      execFile(SCRIPT, ["on", this.folder, node, ...command], options, report);
    });
  }

  /** What a command of this process is given so that it runs on a node. */
  through(node: string): readonly string[] {
    return [SCRIPT, "on", this.folder, node];
  }

  /** Makes a port of a node's loopback reachable from here. @returns its address, without a final slash */
  async reach(node: string, port: string): Promise<string> {
    const [command = "", ...args] = [...this.through(node), process.execPath, "-e", PIPE, port];
    const server = createServer((socket) => {
      const { stdin, stdout } = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
      // Either end may go first.
      for (const stream of [socket, stdin, stdout]) stream.on("error", () => socket.destroy());
      socket.pipe(stdin);
      stdout.pipe(socket);
    });
    this.#reached.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port to listen at");
    return `http://127.0.0.1:${address.port}`;
  }

  /** What runs on a node from now on finds an empty folder there. */
  async hideFolder(node: string, path: string): Promise<void> {
    const pid = (await readFile(join(this.folder, `slurmd-${node}.pid`), "utf8")).trim();
    await promisify(execFile)("nsenter", [`--mount=/proc/${pid}/ns/mnt`, "mount", "-t", "tmpfs", "none", path]);
  }

  /** Pulls a node's cable. */
  async cutOff(node: string): Promise<void> {
    await promisify(execFile)(SCRIPT, ["link", this.folder, node, "down"]);
  }

  /** Resolves when Slurm counts with the node again. */
  async reconnect(node: string): Promise<void> {
    await promisify(execFile)(SCRIPT, ["link", this.folder, node, "up"]);
    for (;;) {
      const { stdout } = await this.run("login", ["sinfo", "--noheader", `--nodes=${node}`, "--format=%t"]);
      if (/^idle$/m.test(stdout)) return;
      await setTimeout(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#reached) server.close();
    await this.run("login", ["scancel", "--full", "--signal=KILL", "--user=root"]);
    await promisify(execFile)(SCRIPT, ["down", this.folder]);
    await rm(this.folder, { recursive: true });
  }
}
