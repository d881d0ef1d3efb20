import { constants, hostname } from "node:os";
import process from "node:process";
import { parseCommand } from "../shared/cli/parse-command.js";
import { describeFailure, exitCodeOf, type Failure, RingstrasseError, toFailure } from "../shared/failure.js";
import { WorkerIdSchema } from "../shared/ids.js";
import { createLogger } from "../shared/logger.js";
import { VERSION } from "../shared/version.js";
import { isSystemError, writeFailure } from "../shared/write-failure.js";
import { PREDICT_COMMAND, WORKER_COMMAND } from "./cli/commands.js";
import { readEnvironment } from "./config.js";

const STDIN = 0;

/** Runs one command of the worker's side. @returns the process's exit code. */
export async function main(name: string, args: readonly string[]): Promise<number> {
  try {
    switch (name) {
      case "worker":
        return await workerMain(args);
      case "predict":
        return await predictMain(args);
      default:
        throw new RangeError(`the worker has no command ${name}`);
    }
  } catch (thrown) {
    // Of what is written here, only stdout has a reader that may leave (`| head`).
    const readerGone = isSystemError(thrown) && thrown.code === "EPIPE";
    const failure = toFailure(readerGone ? writeFailure("stdout", thrown) : thrown);
    process.stderr.write(`ringstrasse: ${describeFailure(failure)}\n`);
    return exitCodeOf(failure.code);
  }
}

async function workerMain(args: readonly string[]): Promise<number> {
  const command = await parseCommand(WORKER_COMMAND, { args, environment: readEnvironment(), version: VERSION });
  if ("print" in command) return print(command.print);
  const { values } = command;
  const { coordinator, token } = values;
  if (coordinator === undefined) throw missing("--coordinator", "Give the endpoint that the coordinator printed");
  if (token === undefined) throw missing("--token", "Give the coordinator's token, best as RINGSTRASSE_TOKEN");
  const workerId = values["worker-id"] ?? WorkerIdSchema.parse(`${hostname()}-${process.pid}`);
  process.title = `ringstrasse worker ${workerId}`;
  const launched = values["exit-with-parent"] === true;
  const log = createLogger(values["log-level"] ?? "warn", { process: "worker", workerId });
  const interruption = watchSignals(launched);
  try {
    const { runWorker } = await import("./run-worker.js");
    await runWorker({
      coordinatorEndpoint: coordinator,
      token,
      workerId,
      address: values.address ?? "127.0.0.1",
      parentPipe: launched ? STDIN : null,
      signal: interruption.signal,
      log,
    });
    return 0;
  } catch (thrown) {
    const failure = toFailure(thrown);
    // A launched worker's verdict is told by its coordinator, once, instead of by each worker.
    log[launched && isNews(failure) ? "error" : launched ? "info" : "error"]({ failure }, describeFailure(failure));
    return exitCodeOf(failure.code);
  } finally {
    interruption[Symbol.dispose]();
  }
}

/** What the coordinator can't know unless this process says so. */
function isNews(failure: Failure): boolean {
  return failure.code === "INTERNAL" || failure.code === "ENGINE_UNAVAILABLE";
}

async function predictMain(args: readonly string[]): Promise<number> {
  const command = await parseCommand(PREDICT_COMMAND, { args, environment: readEnvironment(), version: VERSION });
  if ("print" in command) return print(command.print);
  const { values, positionals } = command;
  if (values.data === undefined) throw missing("--data", "Name the rows to predict");
  const { predict } = await import("./predict/predict.js");
  const summary = await predict({
    modelDirectory: positionals[0] ?? "",
    dataPath: values.data,
    labelsPath: values.labels ?? null,
    format: values.json === true ? "json" : (values.format ?? "csv"),
    output: process.stdout,
  });
  process.stderr.write(`${summary.text}\n`);
  return 0;
}

function missing(option: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option, problem: "it is missing", remedy });
}

function print(text: string): number {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}

/**
 * A worker started by hand leaves on SIGINT or SIGTERM. A launched one ignores SIGINT: Ctrl-C reaches the whole foreground group, and
 * the coordinator ends its workers in good order.
 */
function watchSignals(launched: boolean): { readonly signal: AbortSignal } & Disposable {
  const abort = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (launched && signal === "SIGINT") return;
    if (abort.signal.aborted) process.exit(128 + (constants.signals[signal] ?? 0));
    abort.abort(new RingstrasseError({ code: "INTERRUPTED", signal }));
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
