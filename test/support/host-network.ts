import { type ExecFileException, execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { isOnPath } from "./is-on-path.js";
import { ROOT } from "./run-command.js";

/** What makes hosts, and takes them down. */
export const HOST_SCRIPT = join(ROOT, "test/cluster/slurm-cluster.sh");

/** Between stdin, stdout and a port of the host that it runs on. */
const PIPE = `const socket = require("node:net").connect(process.argv[1], "127.0.0.1");
socket.on("error", () => process.exit(1));
process.stdin.pipe(socket).pipe(process.stdout);`;

/** Why no hosts can be had on this machine; null: they can. @param needed commands, each with the Debian package that brings it */
export function hostsProblem(needed: readonly string[] = []): string | null {
  const missing = [...needed, "ip (iproute2)"].filter((each) => !isOnPath(each.split(" ")[0] ?? ""));
  if (missing.length > 0) return `without ${missing.join(", ")}`;
  const { status, stderr } = spawnSync("unshare", ["--net", "--uts", "--mount", "true"], { encoding: "utf8" });
  return status === 0 ? null : `without the right to make namespaces: ${stderr.trim()}`;
}

/** Short: sockets lie in it, and interfaces of the kernel bear its name. */
export function networkFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "rs-"));
}

export interface ClusterCommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Hosts in one network, `login`, `node1` and so on: each has a network namespace, a host name and an address of its own, and all share files. */
export class HostNetwork implements AsyncDisposable {
  readonly folder: string;
  readonly #reached: Server[] = [];

  protected constructor(folder: string) {
    this.folder = folder;
  }

  static async start(nodes: number): Promise<HostNetwork> {
    const hosts = new HostNetwork(await networkFolder());
    await hosts.bringUp("hosts", nodes);
    return hosts;
  }

  /** Runs a command on a node, `login` or `node1` and so on, to its end. */
  run(node: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ClusterCommandEnd> {
    return new Promise((resolve, reject) => {
      const report = (error: ExecFileException | null, stdout: string, stderr: string): void => {
        if (typeof error?.code === "string") reject(error);
        else resolve({ exitCode: error?.code ?? (error === null ? 0 : 1), stdout, stderr });
      };
      const options = { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 };
      execFile(HOST_SCRIPT, ["on", this.folder, node, ...command], options, report);
    });
  }

  /** What a command of this process is given so that it runs on a node. */
  through(node: string): readonly string[] {
    return [HOST_SCRIPT, "on", this.folder, node];
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#reached) server.close();
    await this.#takeDown();
  }

  /** @throws with what the script said when they don't come up; nothing of them is left then */
  protected async bringUp(verb: "hosts" | "up", nodes: number): Promise<void> {
    try {
      await promisify(execFile)(HOST_SCRIPT, [verb, this.folder, String(nodes)]);
    } catch (thrown) {
      await this.#takeDown();
      throw thrown;
    }
  }

  async #takeDown(): Promise<void> {
    await promisify(execFile)(HOST_SCRIPT, ["down", this.folder]);
    await rm(this.folder, { recursive: true });
  }
}
