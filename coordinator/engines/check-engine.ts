import { spawn } from "node:child_process";
import process from "node:process";
import { withoutOptions } from "../../shared/cli/without-options.js";
import { ENGINE_CHECK_COMMAND, type EngineCheck, EngineCheckSchema } from "../../shared/engine-store/engine-check.js";
import type { EnvironmentVariables } from "../../shared/engine-store/engine-directory.js";
import type { EngineLocation } from "../../shared/engine-store/locate-engine.js";
import { engineUnavailable } from "./engine-failure.js";

export interface CheckProcess {
  /** The program's entry point, a JavaScript file. */
  readonly entry: string;
  /** For the process, which gets none of this command's own options. */
  readonly environment: EnvironmentVariables;
  readonly threads: number;
  /** How long to measure. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Loading a gigabyte from a slow disk takes its time. */
const TIME_LIMIT_MS = 180_000;
const LAST_WORDS = 600;

/** What signals mean for a library that was just loaded. */
const SIGNAL_MEANINGS: Readonly<Record<string, string>> = {
  SIGILL: "SIGILL: the processor lacks instructions that the library needs, AVX for one",
  SIGBUS: "SIGBUS: a library file is cut off, or its disk fails",
  SIGKILL: "SIGKILL: too little memory, or it took too long",
};

/**
 * Loads an engine in a process of its own and multiplies matrices with it; whatever a broken library does ends that
 * process only.
 * @param location null for the engine that needs none (wasm).
 * @throws RingstrasseError ENGINE_UNAVAILABLE with the process's last words; the signal's reason
 */
export async function checkEngine(
  engine: string,
  location: EngineLocation | null,
  { entry, environment, threads, seconds, signal }: CheckProcess,
): Promise<EngineCheck> {
  const native = location === null ? [] : ["--binding", location.bindingPath, "--device", location.device];
  const measuring = ["--threads", String(threads), "--seconds", String(seconds)];
  const { how, stdout, stderr } = await runNode(
    [entry, ENGINE_CHECK_COMMAND, engine, ...native, ...measuring],
    {
      ...withoutOptions(environment),
      ["TF_NUM_INTRAOP_THREADS"]: String(threads),
      ["TF_NUM_INTEROP_THREADS"]: "1",
      // Errors, but not its greetings.
      ["TF_CPP_MIN_LOG_LEVEL"]: environment["TF_CPP_MIN_LOG_LEVEL"] ?? "2",
      // Else it takes all of a GPU's memory from whoever is using it.
      ["TF_FORCE_GPU_ALLOW_GROWTH"]: "true",
    },
    signal,
  );
  signal.throwIfAborted();
  if (how === null) return EngineCheckSchema.parse(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""));
  const words = stderr
    .trim()
    .replace(/^ringstrasse: (?:internal error: )?/, "")
    .slice(0, LAST_WORDS);
  const problem = `it can't be loaded and used (the checking process ended with ${how}${words === "" ? "" : `: ${words}`})`;
  const remedy =
    location?.origin === "store"
      ? `If it worked before, install it anew: ringstrasse engine install ${location.device} --force; else use --engine wasm`
      : "Install ringstrasse or the engine's npm package anew";
  throw engineUnavailable({ engine, problem, remedy });
}

interface Ended {
  /** Null: well. */
  readonly how: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runNode(args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]),
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    // An abort is an error event too; how the process ended is told by `close`.
    child.once("error", (cause) => {
      if (cause.name !== "AbortError") reject(cause);
    });
    child.once("close", (code, ended) => {
      const how = code === 0 ? null : ended === null ? `exit code ${code}` : (SIGNAL_MEANINGS[ended] ?? ended);
      resolve({ how, stdout, stderr });
    });
  });
}
