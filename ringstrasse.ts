#!/usr/bin/env node
import process from "node:process";
import { describeFailure } from "./shared/describe-failure.js";
import { exitCodeOf, type Failure } from "./shared/failure.js";
import { makeTerminalsPatient } from "./shared/patient-terminals.js";
import { outliveReaderOfStderr } from "./shared/unread-stderr.js";
import { VERSION } from "./shared/version.js";

interface Command {
  readonly describe: string;
  /** Which side runs it; null: a later version. */
  readonly side: "coordinator" | "worker" | null;
  /** Run by other commands, not by people. */
  readonly isHidden?: boolean;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  train: { describe: "train what a ViNNSL document describes: one job, from start to end", side: "coordinator" },
  worker: { describe: "join a coordinator and train what it gives", side: "worker" },
  serve: { describe: "coordinator, REST interface and dashboard for many jobs", side: "coordinator" },
  predict: { describe: "rows in, predictions out", side: "worker" },
  validate: { describe: "check a ViNNSL document", side: "coordinator" },
  diff: { describe: "name the first step, replica, tensor and block in which two runs differ", side: "coordinator" },
  bench: { describe: "benchmarks", side: null },
  engine: { describe: "list, install and remove engines", side: "coordinator" },
  "engine-check": { describe: "load an engine and measure it", side: "worker", isHidden: true },
  "mpi-check": { describe: "load a library of MPI and name it", side: "worker", isHidden: true },
  submit: { describe: "write, check and submit a batch job: submit slurm DEF.xml", side: "coordinator" },
  sweep: { describe: "what the runs of submit slurm --sweep have come to", side: "coordinator" },
  doctor: { describe: "check this machine, from Node and the engines to MPI and Slurm", side: "coordinator" },
};

/** One command dispatches: each side is loaded only when one of its commands runs, and never imports the other. */
async function dispatch(args: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = args;
  if (name === "--version" || name === "-v") return print(VERSION);
  if (name === "--help" || name === "-h" || name === "help") return print(help());
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const problem = `there is no command "${name}"`;
    return fail({ code: "USAGE", option: null, problem, remedy: "See: ringstrasse --help" });
  }
  if (command.side === null) {
    const supported = Object.keys(COMMANDS).filter(
      (known) => COMMANDS[known]?.side !== null && COMMANDS[known]?.isHidden !== true,
    );
    const remedy = "This version can't do it yet";
    return fail({ code: "CHOICE_UNSUPPORTED", option: "ringstrasse", value: name, supported, remedy });
  }
  const isRank = name === "train" && (await isOneOfManyRanks(rest));
  const { main } =
    isRank || command.side === "worker" ? await import("./worker/main.js") : await import("./coordinator/main.js");
  return await main(name, rest);
}

/** `mpirun ringstrasse train …`: this process is a worker, and the coordinator a child of the first of them. */
async function isOneOfManyRanks(args: readonly string[]): Promise<boolean> {
  const { readEnvironment } = await import("./worker/config.js");
  const { rankOfCommand } = await import("./shared/launch/rank-of-command.js");
  try {
    return rankOfCommand(args, readEnvironment()) !== null;
  } catch {
    // Variables that contradict each other: a rank's command says so, in the form that was asked for.
    return true;
  }
}

function help(): string {
  const lines = Object.entries(COMMANDS)
    .filter(([, { side, isHidden }]) => side !== null && isHidden !== true)
    .map(([name, { describe }]) => `  ${name.padEnd(10)} ${describe}`);
  return `ringstrasse ${VERSION}: one ViNNSL document in, a trained model out\n\nringstrasse COMMAND [options]\n\n${lines.join("\n")}\n\nringstrasse COMMAND --help tells more.`;
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function fail(failure: Failure): number {
  process.stderr.write(`ringstrasse: ${describeFailure(failure)}\n`);
  return exitCodeOf(failure.code);
}

makeTerminalsPatient();
outliveReaderOfStderr();
process.exitCode = await dispatch(process.argv.slice(2));
