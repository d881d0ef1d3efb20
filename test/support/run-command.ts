import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import {
  type EpochEvent,
  type FailedEvent,
  type FinishedEvent,
  type StepEvent,
  type TrainEvent,
  TrainEventSchema,
} from "../../shared/train-events.js";
import type { MpiLauncher } from "./mpi-launchers.js";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = join(ROOT, "dist/ringstrasse.js");

export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `ringstrasse` command: the compiled one, as users run it. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandEnd>;
  /** Everything written to stdout so far. */
  stdout(): string;
  /** Resolves as soon as `found` says yes to stdout or stderr so far. @throws when the command ends before. */
  until(found: (stdout: string, stderr: string) => boolean): Promise<void>;
}

export interface CommandSurroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Command and arguments that are given the command to run. */
  readonly through?: readonly string[];
}

/** Starts `ringstrasse ARGS`. It is killed when the test finishes, should it still run. */
export function startCommand(args: readonly string[], around: CommandSurroundings = {}): RunningCommand {
  const [file = process.execPath, ...rest] = [...(around.through ?? []), process.execPath, ENTRY, ...args];
  return startProcess(file, rest, around);
}

/** Starts `ringstrasse ARGS` as so many ranks. */
export function startRanks(
  { command, options }: MpiLauncher,
  ranks: number,
  args: readonly string[],
  around: CommandSurroundings = {},
): RunningCommand {
  return startProcess(command, [...options, "-np", String(ranks), process.execPath, ENTRY, ...args], around);
}

/** Starts any command likewise. */
export function startProcess(command: string, args: readonly string[], around: CommandSurroundings): RunningCommand {
  const child = spawn(command, args, {
    cwd: around.cwd ?? ROOT,
    env: { ...process.env, ...around.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    wake();
  });
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  const until = (found: (stdout: string, stderr: string) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!found(stdout, stderr)) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      const endedFirst = () =>
        reject(new Error(`the command ended first: ${stdout.slice(-2000)}\n${stderr.slice(-2000)}`));
      void ended.then(endedFirst, reject);
      look();
    });
  return { child, ended, stdout: () => stdout, until };
}

/** Runs `ringstrasse ARGS` to its end. */
export function runCommand(args: readonly string[], around: CommandSurroundings = {}): Promise<CommandEnd> {
  return startCommand(args, around).ended;
}

/** The lines of a `train --json` run, each checked against its schema. */
export function eventsOf(stdout: string): TrainEvent[] {
  return stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => TrainEventSchema.parse(JSON.parse(line)));
}

export interface TrainRun {
  readonly events: TrainEvent[];
  readonly finished: FinishedEvent;
  readonly steps: StepEvent[];
  readonly epochs: EpochEvent[];
}

/** Runs `ringstrasse train ARGS --json`. @throws with what it said, unless it finished. */
export async function runTrain(args: readonly string[], around: CommandSurroundings = {}): Promise<TrainRun> {
  const { exitCode, stdout, stderr } = await runCommand(["train", ...args, "--json"], around);
  const events = eventsOf(stdout);
  const last = events.at(-1);
  if (exitCode !== 0 || last?.event !== "finished") {
    throw new Error(`train ended with ${exitCode}: ${JSON.stringify(last)}\n${stderr}`);
  }
  const steps = events.filter((event) => event.event === "step");
  const epochs = events.filter((event) => event.event === "epoch");
  return { events, finished: last, steps, epochs };
}

/** Runs `ringstrasse train ARGS --json`, which must fail. */
export async function runFailingTrain(
  args: readonly string[],
  around: CommandSurroundings = {},
): Promise<{ readonly end: CommandEnd; readonly failed: FailedEvent }> {
  const end = await runCommand(["train", ...args, "--json"], around);
  const last = eventsOf(end.stdout).at(-1);
  if (last?.event !== "failed") throw new Error(`train did not fail: ${JSON.stringify(last)}\n${end.stderr}`);
  return { end, failed: last };
}
