import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endWithThis } from "./end-with-this.js";
import { sampleProcessTree } from "./process-memory.js";

/** Compiled to dist/bench/support/, two folders below the command. */
const COMMAND = fileURLToPath(new URL("../../ringstrasse.js", import.meta.url));
const TOKEN = "the-token-of-the-soak";
/** How long children may outlive their parent. */
const ORPHANS_MS = 20_000;
const LOOK_EVERY_MS = 50;

export interface ServePlace {
  readonly port: number;
  readonly controlPort: number;
  readonly dataDirectory: string;
  readonly workers: number;
}

/** A `ringstrasse serve` under way; its clients need {@link SERVE_TOKEN}. */
export interface ServeProcess {
  readonly pid: number;
  readonly url: string;
  /** From its start to the moment at which it said where it listens. */
  readonly startMs: number;
  /** Log lines of level error or worse so far. */
  readonly errors: readonly string[];
  /** Pids: its own, and those of every process that it has started. */
  family(): Promise<readonly number[]>;
  /** SIGKILL, at once if the family is given. Resolves when all of the family are gone. @returns pids that are not */
  kill(family?: readonly number[]): Promise<readonly number[]>;
  /** SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
}

export const SERVE_TOKEN = TOKEN;

/** Starts a server, which ends with this process at the latest. @throws when it ends before it listens, with what it said */
export async function startServe({ port, controlPort, dataDirectory, workers }: ServePlace): Promise<ServeProcess> {
  const args = ["serve", `--port=${port}`, `--control-port=${controlPort}`, `--workers=${workers}`];
  const began = performance.now();
  const child = startCommand([...args, `--data-dir=${dataDirectory}`, "--engine=wasm", "--json"]);
  const errors: string[] = [];
  let said = "";
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      said = `${said}\n${line}`.slice(-4000);
      if (/"level":(50|60|"error"|"fatal")/.test(line) || !line.startsWith("{")) errors.push(line);
    });
  }
  const url = await new Promise<string>((resolve, reject) => {
    child.once("close", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    if (child.stdout === null) return reject(new Error("the server has no stdout"));
    createInterface({ input: child.stdout }).once("line", (line) => resolve((JSON.parse(line) as { url: string }).url));
  });
  const startMs = performance.now() - began;
  const pid = child.pid ?? -1;
  const ended = once(child, "close");
  const family = async () => (await sampleProcessTree(pid)).map((one) => one.pid);
  return {
    pid,
    url,
    startMs,
    errors,
    family,
    kill: async (known) => {
      const all = known ?? (await family());
      child.kill("SIGKILL");
      await ended;
      return await untilGone(all);
    },
    stop: async () => {
      child.kill("SIGTERM");
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

/** Starts a worker that joins whatever server is there, and comes back to the next one. It ends with this process at the latest. */
export function startGuest(controlPort: number, workerId: string): { readonly stop: () => Promise<void> } {
  const child = startCommand([
    "worker",
    "--engine=wasm",
    `--coordinator=tcp://127.0.0.1:${controlPort}`,
    `--worker-id=${workerId}`,
  ]);
  child.stderr?.resume();
  child.stdout?.resume();
  return {
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "close");
    },
  };
}

/** A port that nobody listens at just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}

function startCommand(args: readonly string[]): ChildProcess {
  const environment = { ...process.env, RINGSTRASSE_TOKEN: TOKEN };
  const child = spawn(process.execPath, [COMMAND, ...args], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  endWithThis(child);
  return child;
}

async function untilGone(pids: readonly number[]): Promise<readonly number[]> {
  const deadline = performance.now() + ORPHANS_MS;
  for (;;) {
    const alive = (await Promise.all(pids.map((pid) => sampleProcessTree(pid)))).flat().map(({ pid }) => pid);
    if (alive.length === 0 || performance.now() > deadline) return alive;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
