import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { isOnPath } from "./is-on-path.js";

const run = promisify(execFile);
/** The engine leaves a mount behind: in a namespace of its own it goes with it. */
const OWN_MOUNTS = ["unshare", "--mount"];
/** For containers to end, and gigabytes to be removed. */
const END_MS = 120_000;
const NEEDED = ["dockerd", "docker", "docker-compose", "iptables", "ip", "nsenter", "curl", "openssl"];
/** What keeps this machine from having an engine of the tests' own; null: nothing. Debian: docker.io, docker-compose, iptables, iproute2. */
export const NO_DOCKER: string | null =
  process.getuid?.() === 0
    ? (NEEDED.map((name) => (isOnPath(name) ? null : `${name} is missing`)).find((lack) => lack !== null) ?? null)
    : "it takes root";

/**
 * A Docker engine of the test's own, so that nobody's containers, images or volumes are touched: all it keeps lies in one folder. It runs
 * without a network of its own for building (steps use the machine's), and then, with the same images, in a network namespace with bridge,
 * names and published ports, which leaves the machine's own network alone.
 */
export class DockerEngine implements AsyncDisposable {
  readonly #folder: string;
  readonly #namespace = `ringstrasse-${process.pid}`;
  #daemon: ChildProcess | null = null;
  #gone: Promise<void> | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** It is gone when the test has finished, at the latest. */
  static async open(): Promise<DockerEngine> {
    const engine = new DockerEngine(await mkdtemp(join(tmpdir(), "ringstrasse-docker-")));
    // Should the test run out of time, it doesn't come to the end of its scope.
    onTestFinished(() => engine[Symbol.asyncDispose](), END_MS);
    return engine;
  }

  /** For every command that is to use this engine. */
  get environment(): NodeJS.ProcessEnv {
    // The classic builder: the newer one is a package of its own.
    return { ...process.env, DOCKER_HOST: `unix://${join(this.#folder, "docker.sock")}`, DOCKER_BUILDKIT: "0" };
  }

  /** Command and arguments in front of one that reaches published ports. */
  get inNetwork(): string[] {
    return ["nsenter", `--net=/run/netns/${this.#namespace}`];
  }

  async startForBuilding(): Promise<void> {
    await this.#start([...OWN_MOUNTS, "dockerd", "--bridge=none", "--iptables=false"]);
  }

  async startForRunning(): Promise<void> {
    await this.stop();
    await run("ip", ["netns", "add", this.#namespace]);
    await run(...command([...this.inNetwork, "ip", "link", "set", "lo", "up"]));
    await this.#start([...this.inNetwork, ...OWN_MOUNTS, "dockerd"]);
  }

  /** `docker ARGS`. @returns stdout */
  async docker(args: readonly string[], cwd?: string): Promise<string> {
    const options = { env: this.environment, maxBuffer: 2 ** 26, ...(cwd === undefined ? {} : { cwd }) };
    return (await run("docker", [...args], options)).stdout;
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon === null || daemon.exitCode !== null) return;
    const gone = once(daemon, "exit");
    daemon.kill("SIGTERM");
    await gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#gone ??= this.#takeDown();
    return this.#gone;
  }

  async #takeDown(): Promise<void> {
    await this.stop();
    await run("ip", ["netns", "del", this.#namespace]).catch((cause: { readonly stderr?: string }) => {
      // It never came to running.
      if (!/No such file/.test(cause.stderr ?? "")) throw cause;
    });
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Resolves when the engine takes requests. @throws with what it said, when it ends instead */
  async #start(daemonCommand: readonly string[]): Promise<void> {
    const at = (name: string): string => join(this.#folder, name);
    const places = ["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid")];
    const [file, args] = command([...daemonCommand, ...places, "-H", `unix://${at("docker.sock")}`]);
    const daemon = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#daemon = daemon;
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      daemon.once("error", reject);
      daemon.once("exit", () => reject(new Error(`dockerd ended:\n${said.slice(-20).join("\n")}`)));
      createInterface(daemon.stderr).on("line", (line) => {
        said.push(line);
        if (line.includes("API listen on")) resolve();
      });
    });
  }
}

function command([file = "", ...args]: readonly string[]): [string, string[]] {
  return [file, args];
}
