import { availableParallelism, constants } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { switchIsOn } from "../shared/cli/option-table.js";
import { parseCommand } from "../shared/cli/parse-command.js";
import { RingstrasseError, toFailure } from "../shared/failure.js";
import { nameProcess } from "../shared/name-process.js";
import { encodeTrainEvent, failedEvent, type TrainEvent } from "../shared/train-events.js";
import { VERSION } from "../shared/version.js";
import { writeFailure } from "../shared/write-failure.js";
import { type BatchSurroundings, submitMain, sweepMain } from "./cli/batch-commands.js";
import { DIFF_COMMAND, DOCTOR_COMMAND, SERVE_COMMAND, TRAIN_COMMAND, VALIDATE_COMMAND } from "./cli/commands.js";
import { INTERRUPTIONS, Interruption } from "./cli/interruption.js";
import { createProgress } from "./cli/progress.js";
import { print, report, written } from "./cli/standard-streams.js";
import { isRanksLauncher } from "./cli/train-options.js";
import { readEnvironment } from "./config.js";
import type { RankZero } from "./launcher/rank-zero.js";

/**
 * Runs one command of the coordinator's side. What a command needs is loaded when it runs: the service alone brings hundreds of files,
 * which would cost every other command most of its start. @returns the process's exit code.
 */
export async function main(name: string, args: readonly string[]): Promise<number> {
  switch (name) {
    case "train":
      return await trainMain(args);
    case "serve":
      return await withFailure(() => serveMain(args));
    case "validate":
      return await withFailure(() => validateMain(args));
    case "diff":
      return await withFailure(() => diffMain(args));
    case "engine":
      return await engineMain(args);
    case "submit":
      return await submitMain(args, batchSurroundings());
    case "sweep":
      return await withFailure(() => sweepMain(args, batchSurroundings()));
    case "doctor":
      return await withFailure(() => doctorMain(args));
    default:
      throw new RangeError(`the coordinator has no command ${name}`);
  }
}

async function trainMain(args: readonly string[]): Promise<number> {
  nameProcess("ringstrasse coordinator");
  const { variables: environment, cacheDirectory } = readEnvironment();
  // Known before the options are: their own errors have to come in the form that was asked for.
  let json = switchIsOn("json", args, environment);
  const progress = createProgress(process.stderr);
  const emit = (event: TrainEvent): void => {
    if (json) process.stdout.write(`${encodeTrainEvent(event)}\n`);
    else progress.handle(event);
  };
  using interruption = watchRun();
  let rankZero: RankZero | null = null;
  const end = async (exitCode: number): Promise<number> => {
    await rankZero?.farewell(exitCode);
    await rankZero?.[Symbol.asyncDispose]();
    return exitCode;
  };
  try {
    const command = await parseCommand(TRAIN_COMMAND, { args, environment, version: VERSION });
    if ("print" in command) return print(command.print);
    json = command.values.json === true;
    if (isRanksLauncher(command.values.launcher)) rankZero = await rankZeroOf(environment);
    rankZero?.onSignal((signal) => interruption.hear(signal));
    rankZero?.onOthersSignal((signal, rank) => interruption.hearOf(signal, rank));
    const { train } = await import("./cli/train-command.js");
    const finished = await train(command, {
      entry: entryPoint(),
      environment,
      projectDirectory: process.cwd(),
      cacheDirectory,
      stderr: process.stderr,
      emit,
      note: (text) => process.stderr.write(`${text}\n`),
      onStop: (handler) => interruption.onStop(handler),
      signal: rankZero === null ? interruption.signal : AbortSignal.any([interruption.signal, rankZero.signal]),
      rankZero,
    });
    emit(finished);
    if (!json) {
      const { writeResultTable } = await import("./cli/result-table.js");
      writeResultTable(process.stdout, finished);
    }
    return await end(0);
  } catch (thrown) {
    const failure = toFailure(thrown);
    emit(failedEvent(failure));
    progress.stop();
    return await end(report(failure));
  }
}

/** Whoever started this coordinator for the ranks of a launcher. @throws RingstrasseError USAGE */
async function rankZeroOf(environment: NodeJS.ProcessEnv): Promise<RankZero> {
  const { RankZero } = await import("./launcher/rank-zero.js");
  const { launchedPlace } = await import("../shared/launch/launched-place.js");
  return new RankZero(launchedPlace(environment), process);
}

async function serveMain(args: readonly string[]): Promise<number> {
  nameProcess("ringstrasse coordinator serve");
  const { variables: environment, dataDirectory } = readEnvironment();
  const command = await parseCommand(SERVE_COMMAND, { args, environment, version: VERSION });
  if ("print" in command) return print(command.print);
  const { values } = command;
  const { describePlaces, serve } = await import("./serve/serve.js");
  using interruption = watchInterruptions();
  const note = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  await serve(values, {
    entry: entryPoint(),
    environment,
    execPath: process.execPath,
    projectDirectory: process.cwd(),
    dataDirectory,
    sharedDirectory: join(dataDirectory, "slurm"),
    cores: availableParallelism(),
    stderr: process.stderr,
    listening: (places) => print(values.json === true ? JSON.stringify(places) : describePlaces(places)),
    note,
    signal: interruption.signal,
  });
  return 0;
}

function batchSurroundings(): BatchSurroundings {
  const { variables: environment, cacheDirectory } = readEnvironment();
  return { entry: entryPoint(), execPath: process.execPath, environment, directory: process.cwd(), cacheDirectory };
}

function entryPoint(): string {
  return fileURLToPath(new URL("../ringstrasse.js", import.meta.url));
}

async function validateMain(args: readonly string[]): Promise<number> {
  const { variables: environment } = readEnvironment();
  const command = await parseCommand(VALIDATE_COMMAND, { args, environment, version: VERSION });
  if ("print" in command) {
    await written(command.print);
    return 0;
  }
  const { validate } = await import("./cli/validate-command.js");
  const { text, exitCode } = await validate(command.positionals[0] ?? "", command.values);
  await written(text);
  return exitCode;
}

async function diffMain(args: readonly string[]): Promise<number> {
  const { variables: environment } = readEnvironment();
  const command = await parseCommand(DIFF_COMMAND, { args, environment, version: VERSION });
  if ("print" in command) {
    await written(command.print);
    return 0;
  }
  const [runA = "", runB = ""] = command.positionals;
  const { runDiff } = await import("./diff/diff-command.js");
  const { text, json, identical } = await runDiff(runA, runB);
  await written(command.values.json === true ? JSON.stringify(json) : text);
  return identical ? 0 : 1;
}

async function engineMain(args: readonly string[]): Promise<number> {
  nameProcess("ringstrasse coordinator engine");
  const { variables: environment } = readEnvironment();
  const json = switchIsOn("json", args, environment);
  const { createInstallProgress } = await import("./cli/install-progress.js");
  const { runEngineCommand } = await import("./cli/engine-command.js");
  const progress = createInstallProgress(process.stderr);
  using interruption = watchInterruptions();
  try {
    const { text, exitCode } = await runEngineCommand(args, {
      environment,
      projectDirectory: process.cwd(),
      execPath: process.execPath,
      entry: entryPoint(),
      cores: availableParallelism(),
      version: VERSION,
      emit: (event) => {
        if (json) print(JSON.stringify(event));
        else progress.handle(event);
      },
      signal: interruption.signal,
    });
    progress.stop();
    print(text);
    return exitCode;
  } catch (thrown) {
    const failure = toFailure(thrown);
    progress.stop();
    if (json) print(encodeTrainEvent(failedEvent(failure)));
    return report(failure);
  }
}

async function doctorMain(args: readonly string[]): Promise<number> {
  nameProcess("ringstrasse coordinator doctor");
  const { variables: environment } = readEnvironment();
  const command = await parseCommand(DOCTOR_COMMAND, { args, environment, version: VERSION });
  if ("print" in command) return print(command.print);
  const { runDoctor } = await import("./doctor/run-doctor.js");
  using interruption = watchInterruptions();
  const { text, exitCode } = await runDoctor(command.values, {
    environment,
    entry: entryPoint(),
    projectDirectory: process.cwd(),
    cores: availableParallelism(),
    signal: interruption.signal,
  });
  print(text);
  return exitCode;
}

async function withFailure(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (thrown) {
    return report(toFailure(thrown));
  }
}

/** The signals of a run; see {@link Interruption}. A reader of stdout that has gone asks for a clean end too. */
function watchRun(): Interruption & Disposable {
  const interruption = new Interruption((signal) =>
    process.exit(128 + (constants.signals[signal as NodeJS.Signals] ?? 0)),
  );
  const onSignal = (signal: NodeJS.Signals): void => interruption.hear(signal);
  const onStdoutError = (cause: Error): void => interruption.fail(writeFailure("stdout", cause));
  for (const signal of INTERRUPTIONS) process.on(signal, onSignal);
  // Stays for good: the failure itself is written to the same stream.
  process.stdout.on("error", onStdoutError);
  return Object.assign(interruption, {
    [Symbol.dispose]: () => {
      for (const signal of INTERRUPTIONS) process.off(signal, onSignal);
    },
  });
}

/**
 * The first SIGINT, SIGTERM or SIGHUP asks for a clean end; a second one ends at once. A reader of stdout that has gone (`| head`)
 * asks for a clean end too: without it nobody would hear of the result.
 */
function watchInterruptions(): { readonly signal: AbortSignal } & Disposable {
  const abort = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) process.exit(128 + (constants.signals[signal] ?? 0));
    abort.abort(new RingstrasseError({ code: "INTERRUPTED", signal }));
  };
  const onStdoutError = (cause: Error): void => {
    abort.abort(writeFailure("stdout", cause));
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  // Stays for good: the failure itself is written to the same stream.
  process.stdout.on("error", onStdoutError);
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
