import { randomBytes } from "node:crypto";
import { constants, hostname } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { EvaluationLine } from "../shared/api/evaluation.js";
import { switchIsOn } from "../shared/cli/option-table.js";
import { type ParsedCommand, parseCommand } from "../shared/cli/parse-command.js";
import { describeFailure } from "../shared/describe-failure.js";
import { ENGINE_CHECK_COMMAND } from "../shared/engine-store/engine-check.js";
import { exitCodeOf, RingstrasseError, toFailure } from "../shared/failure.js";
import { type WorkerId, WorkerIdSchema } from "../shared/ids.js";
import type { LaunchedPlace } from "../shared/launch/launched-place.js";
import { MPI_CHECK_COMMAND } from "../shared/launch/mpi-check.js";
import { rankOfCommand } from "../shared/launch/rank-of-command.js";
import { createLogger } from "../shared/logger.js";
import { nameProcess } from "../shared/name-process.js";
import { encodeTrainEvent, failedEvent } from "../shared/train-events.js";
import { hostAddress } from "../shared/transport/host-address.js";
import { ringAddress } from "../shared/transport/ring-address.js";
import { VERSION } from "../shared/version.js";
import { isSystemError, writeFailure } from "../shared/write-failure.js";
import { PREDICT_COMMAND, WORKER_COMMAND } from "./cli/commands.js";
import { type PREDICT_OPTIONS, type PredictCommandOptions, readEnvironment } from "./config.js";
import { isNews } from "./is-news.js";
import type { EvaluateOptions } from "./predict/evaluate.js";
import { VERDICT_MS } from "./verdict-patience.js";

const STDIN = 0;

interface WatchedSignals extends Disposable {
  /** Aborts when this process is to leave at once. */
  readonly signal: AbortSignal;
  /** Aborts when it is told to leave; the same where it has no patience. */
  readonly told: AbortSignal;
  /** `hear` is told of SIGUSR1 and SIGUSR2. */
  readonly onRequest: (hear: (signal: string) => void) => void;
}

/** Runs one command of the worker's side. @returns the process's exit code. */
export async function main(name: string, args: readonly string[]): Promise<number> {
  try {
    switch (name) {
      case "worker":
        return await workerMain(args);
      case "train":
        return await rankMain(args);
      case "predict":
        return await predictMain(args);
      case ENGINE_CHECK_COMMAND:
        return await engineCheckMain(args);
      case MPI_CHECK_COMMAND:
        return await mpiCheckMain(args);
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
  const workerId = values["worker-id"] ?? ownName();
  nameProcess(`ringstrasse worker ${workerId}`);
  const launched = values["exit-with-parent"] === true;
  const log = createLogger(values["log-level"] ?? "warn", { process: "worker", workerId });
  const interruption = watchSignals(launched ? "launched" : "joined");
  let hasJoined = false;
  try {
    const { runWorker } = await import("./run-worker.js");
    await runWorker({
      coordinatorEndpoint: coordinator,
      token,
      workerId,
      engine: values.engine ?? "auto",
      threads: values.threads ?? 1,
      address: values.address === undefined ? null : ringAddress(await hostAddress(values.address)),
      joined: () => {
        hasJoined = true;
      },
      parentPipe: launched ? STDIN : null,
      mpi: null,
      healthPort: values["health-port"] ?? null,
      signal: interruption.signal,
      leaving: launched ? null : interruption.told,
      log,
    });
    return 0;
  } catch (thrown) {
    const failure = toFailure(thrown);
    // A launched worker's verdict is told by its coordinator, once, instead of by each worker.
    log[launched && isNews(failure, hasJoined) ? "error" : launched ? "info" : "error"](
      { failure },
      describeFailure(failure),
    );
    return exitCodeOf(failure.code);
  } finally {
    interruption[Symbol.dispose]();
  }
}

/** One of several processes that train together, see `rankOfCommand`. */
async function rankMain(args: readonly string[]): Promise<number> {
  const environment = readEnvironment();
  using interruption = watchSignals("rank");
  let place: LaunchedPlace | null = null;
  try {
    place = rankOfCommand(args, environment);
    if (place === null) throw new RangeError("no launcher has made this process a rank");
    nameProcess(`ringstrasse worker rank ${place.rank}`);
    const { runRank } = await import("./rank/run-rank.js");
    const { openMeeting } = await import("./rank/open-meeting.js");
    const entry = fileURLToPath(new URL("../ringstrasse.js", import.meta.url));
    const announce = (line: string): void => void process.stderr.write(`ringstrasse: ${line}\n`);
    await using meeting = await openMeeting(place, { args, environment, announce });
    return await runRank({
      place,
      args,
      entry,
      meeting,
      signal: interruption.signal,
      onRequest: interruption.onRequest,
    });
  } catch (thrown) {
    // Results are rank 0's alone to tell, and so are failures in their place.
    const tells = (place === null || place.rank === 0) && switchIsOn("json", args, environment);
    if (tells) await printLine(`${encodeTrainEvent(failedEvent(toFailure(thrown)))}\n`);
    throw thrown;
  }
}

async function predictMain(args: readonly string[]): Promise<number> {
  const command = await parseCommand(PREDICT_COMMAND, { args, environment: readEnvironment(), version: VERSION });
  if ("print" in command) return print(command.print);
  const { values, positionals } = command;
  if (values["exit-with-parent"] === true) endWithParent();
  if (values.evaluate === true) return await evaluateMain(positionals[0] ?? "", values);
  if (values["row-file"] !== undefined) throw usage("--row-file", "it goes with --evaluate", "Give rows as --data");
  if (values.data === undefined) throw missing("--data", "Name the rows to predict");
  const { predict } = await import("./predict/predict.js");
  const summary = await predict({
    modelDirectory: positionals[0] ?? "",
    dataPath: values.data,
    labelsPath: values.labels ?? null,
    engine: values.engine ?? "auto",
    threads: values.threads ?? 1,
    format: formatOf(command),
    output: process.stdout,
  });
  process.stderr.write(`${summary.text}\n`);
  return 0;
}

/** Of two that contradict each other, a flag ranks over the environment. @throws RingstrasseError USAGE: two of one rank */
function formatOf({ values, sources }: ParsedCommand<typeof PREDICT_OPTIONS>): "csv" | "json" {
  const { json, format = json === true ? "json" : "csv" } = values;
  if (json !== true || format === "json") return format;
  if ((sources.json === "flag") === (sources.format === "flag"))
    throw usage("--json", `it stands for --format json, and --format ${format} is given`, "Leave one of the two out");
  return sources.json === "flag" ? "json" : format;
}

async function engineCheckMain(args: readonly string[]): Promise<number> {
  const { checkEngine, ENGINE_CHECK } = await import("./engine-check/engine-check-command.js");
  const command = await parseCommand(ENGINE_CHECK, { args, environment: readEnvironment(), version: VERSION });
  return print("print" in command ? command.print : JSON.stringify(await checkEngine(command)));
}

async function mpiCheckMain(args: readonly string[]): Promise<number> {
  const { checkMpi, MPI_CHECK } = await import("./mpi/mpi-check-command.js");
  const command = await parseCommand(MPI_CHECK, { args, environment: readEnvironment(), version: VERSION });
  return print("print" in command ? command.print : JSON.stringify(await checkMpi(command.positionals[0] ?? "")));
}

/** With `--json` a failure too is a line on stdout, whole: whoever started this can tell what was wrong. */
async function evaluateMain(modelDirectory: string, values: PredictCommandOptions): Promise<number> {
  const json = values.json === true;
  try {
    const { describeEvaluation, evaluate } = await import("./predict/evaluate.js");
    const evaluation = await evaluate({
      modelDirectory,
      rows: rowsToJudge(values),
      engine: values.engine ?? "auto",
      threads: values.threads ?? 1,
    });
    await printLine(json ? `${JSON.stringify(evaluation satisfies EvaluationLine)}\n` : describeEvaluation(evaluation));
    return 0;
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (json) await printLine(`${JSON.stringify({ failure } satisfies EvaluationLine)}\n`);
    throw thrown;
  }
}

function rowsToJudge(values: PredictCommandOptions): EvaluateOptions["rows"] {
  const { data, labels, format, "row-file": rowFile } = values;
  if (format !== undefined)
    throw usage("--format", "nothing is predicted with --evaluate", "Leave it out, or give --json");
  if (data === undefined && rowFile !== undefined) return { kind: "prepared", rowFile };
  if (rowFile !== undefined) throw usage("--row-file", "it stands in the place of --data", "Give one of them");
  if (data === undefined) throw missing("--data", "Name the rows to judge the model by");
  return { kind: "data", dataPath: data, labelsPath: labels ?? null };
}

/** Resolves when stdout has taken the text. @throws its error */
function printLine(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: the stream's own `error` event comes after the callback.
    process.stdout.on("error", reject);
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Whoever started this process holds the other end of its stdin: when that closes, nobody waits for it any more. */
function endWithParent(): void {
  const end = (): void => process.exit(128 + constants.signals.SIGHUP);
  process.stdin.on("end", end).on("error", end).resume();
  // It is no reason to stay when all is done.
  if ("unref" in process.stdin && typeof process.stdin.unref === "function") process.stdin.unref();
}

function missing(option: string, remedy: string): RingstrasseError {
  return usage(option, "it is missing", remedy);
}

function usage(option: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option, problem, remedy });
}

/** Containers of one image bear one name and count their processes alike: what they are called by must not depend on these alone. */
function ownName(): WorkerId {
  return WorkerIdSchema.parse(`${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`);
}

function print(text: string): number {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}

/**
 * A worker that has joined by itself tells its coordinator that it has to leave, and gives it some time to save its job. A launched one
 * ignores SIGINT, and has patience after SIGTERM: these reach the whole group of processes, and the coordinator ends its workers in good
 * order, after it has saved the state. A rank's patience is its own. SIGUSR1 and SIGUSR2 are the coordinator's alone.
 */
function watchSignals(kind: "joined" | "launched" | "rank"): WatchedSignals {
  const abort = new AbortController();
  const told = new AbortController();
  const requests = new Set<(signal: string) => void>();
  const onRequest = (signal: NodeJS.Signals): void => {
    for (const hear of requests) hear(signal);
  };
  let isAsked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (kind === "launched" && signal === "SIGINT") return;
    if (isAsked) process.exit(128 + (constants.signals[signal] ?? 0));
    isAsked = true;
    const reason = new RingstrasseError({ code: "INTERRUPTED", signal });
    told.abort(reason);
    if (kind === "rank") abort.abort(reason);
    else setTimeout(() => abort.abort(reason), VERDICT_MS).unref();
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const requested: NodeJS.Signals[] = ["SIGUSR1", "SIGUSR2"];
  for (const signal of signals) process.on(signal, onSignal);
  for (const signal of requested) process.on(signal, onRequest);
  return {
    signal: abort.signal,
    told: told.signal,
    onRequest: (hear) => requests.add(hear),
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal);
      for (const signal of requested) process.off(signal, onRequest);
    },
  };
}
