import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type FailedEvent, type FinishedEvent, type TrainEvent, TrainEventSchema } from "../../shared/train-events.js";
import { endWithThis } from "./end-with-this.js";

/** Compiled to dist/bench/support/, two folders below the command. */
const COMMAND = fileURLToPath(new URL("../../ringstrasse.js", import.meta.url));

export interface TrainOutcome {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Null when the process ended without that line. */
  readonly last: FinishedEvent | FailedEvent | null;
  /** `step` events seen. */
  readonly steps: number;
  readonly warnings: readonly string[];
  /** End of the log, for messages. */
  readonly stderrTail: string;
  readonly wallMs: number;
}

export interface TrainOptions {
  /** Pins the whole run, workers included, to these cores. Linux only. */
  readonly cores?: readonly number[];
  /** Beside this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Makes it the leader of a process group of its own, with its workers, to be signalled as one. */
  readonly ownGroup?: boolean;
  /** Called for each line, in order, while the run goes on. */
  readonly onEvent?: (event: TrainEvent) => void;
}

/** A `ringstrasse train` under way. */
export interface TrainProcess {
  readonly pid: number;
  /** Settles when the process has ended; rejects only when it could not be started. */
  readonly outcome: Promise<TrainOutcome>;
}

/** Starts `ringstrasse train ARGS --json` as a process of its own, which ends with this one at the latest. */
export function startTraining(args: readonly string[], options: TrainOptions = {}): TrainProcess {
  const command = [process.execPath, COMMAND, "train", ...args, "--json"];
  const pinned = options.cores === undefined ? command : ["taskset", "-c", options.cores.join(), ...command];
  const [file = process.execPath, ...rest] = pinned;
  const env = { ...process.env, ...options.environment };
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"], detached: options.ownGroup === true, env });
  endWithThis(child);
  return { pid: child.pid ?? -1, outcome: follow(child, options.onEvent) };
}

async function follow(child: ChildProcess, onEvent: TrainOptions["onEvent"]): Promise<TrainOutcome> {
  const began = performance.now();
  const warnings: string[] = [];
  let last: TrainOutcome["last"] = null;
  let steps = 0;
  let stderrTail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderrTail = (stderrTail + text).slice(-4000);
  });
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  // Observed from the start: a process that can't be started has no output to wait for.
  const reading = (async () => {
    if (child.stdout === null) return;
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      const event = TrainEventSchema.parse(JSON.parse(line));
      if (event.event === "step") steps++;
      if (event.event === "warning") warnings.push(event.message);
      if (event.event === "finished" || event.event === "failed") last = event;
      onEvent?.(event);
    }
  })();
  const [end] = await Promise.all([ended, reading]);
  return { ...end, last, steps, warnings, stderrTail, wallMs: performance.now() - began };
}

/** The last line of a run that ended well. @throws when the run ended in any other way, with the end of its log */
export function finishedLine(outcome: TrainOutcome): FinishedEvent {
  if (outcome.exitCode === 0 && outcome.last?.event === "finished") return outcome.last;
  const how = outcome.signal ?? `exit code ${outcome.exitCode}`;
  throw new Error(`train ended with ${how}: ${JSON.stringify(outcome.last)}\n${outcome.stderrTail}`);
}
