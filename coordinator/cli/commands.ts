import { filePath, type OptionTable, switchValue, wholeNumber } from "../../shared/cli/option-table.js";
import type { CommandDefinition } from "../../shared/cli/parse-command.js";
import { SERVE_OPTIONS } from "./serve-options.js";
import { SUBMIT_OPTIONS } from "./submit-options.js";
import { TRAIN_OPTIONS } from "./train-options.js";

const DOCUMENT = { name: "DEF.xml", describe: "the ViNNSL document" };

export const TRAIN_COMMAND = {
  name: "train",
  describe: "Trains what a ViNNSL document describes: one job, from start to end.",
  positionals: [DOCUMENT],
  options: TRAIN_OPTIONS,
  examples: [
    ["$0 train examples/iris/iris.xml --workers 2", "two worker processes on this machine"],
    ["$0 train net.xml --data rows.csv --workers 4 --replicas 8 --json", "the same bits as with 1, 2 or 8 workers"],
  ],
} as const satisfies CommandDefinition<OptionTable>;

export const SERVE_COMMAND = {
  name: "serve",
  describe: "Coordinator, REST interface and dashboard for many jobs, until it is stopped.",
  positionals: [],
  options: SERVE_OPTIONS,
  examples: [
    ["$0 serve", "at http://127.0.0.1:8080, with a worker for each core"],
    ["RINGSTRASSE_TOKEN=… $0 serve --host 0.0.0.0 --workers 0", "for workers and clients on other hosts"],
  ],
} as const satisfies CommandDefinition<OptionTable>;

export const SUBMIT_COMMAND = {
  name: "submit",
  describe:
    "Writes the batch script of a job, checks it against the cluster and submits it. What train takes is passed on to it.",
  positionals: [{ name: "slurm", describe: "the batch system" }, DOCUMENT],
  options: SUBMIT_OPTIONS,
  examples: [
    ["$0 submit slurm net.xml --data rows.csv --nodes 2 --tasks-per-node 4 --replicas 8", "eight ranks on two nodes"],
    ["$0 submit slurm net.xml --sweep learningrate=0.1,0.01 --sweep seed=0,1,2", "a job array of six runs"],
    ["$0 submit slurm net.xml --nodes 2 --gpus-per-node 4 --time 2:00:00 --dry-run", "a rank for each of eight GPUs"],
  ],
} as const satisfies CommandDefinition<OptionTable>;

export const SWEEP_COMMAND = {
  name: "sweep",
  describe: "What the runs of a sweep have come to: a table, the best of them marked.",
  positionals: [{ name: "DIR", describe: "the folder that submit slurm --sweep has written" }],
  options: {
    json: { group: "Output:", describe: "One JSON object on stdout", schema: switchValue, isSwitch: true },
  },
  examples: [["$0 sweep runs/iris-sweep", ""]],
} as const satisfies CommandDefinition<OptionTable>;

export const VALIDATE_COMMAND = {
  name: "validate",
  describe: "Checks a ViNNSL document: leniently as training does, or strictly against the published schemas.",
  positionals: [DOCUMENT],
  options: {
    strict: { group: "Checks:", describe: "Against the published schemas too", schema: switchValue, isSwitch: true },
    summary: {
      group: "Output:",
      describe: "Print the layer table with parameter counts",
      schema: switchValue,
      isSwitch: true,
    },
    json: { group: "Output:", describe: "One JSON object on stdout", schema: switchValue, isSwitch: true },
  },
  examples: [["$0 validate net.xml --strict --summary", ""]],
} as const satisfies CommandDefinition<OptionTable>;

export const DIFF_COMMAND = {
  name: "diff",
  describe: "Names the first step, replica, tensor and block in which two runs differ. Exit code 0: none, 1: some.",
  positionals: [
    { name: "RUN_A", describe: "the first run's output directory" },
    { name: "RUN_B", describe: "the second run's output directory" },
  ],
  options: {
    json: { group: "Output:", describe: "One JSON object on stdout", schema: switchValue, isSwitch: true },
  },
  examples: [["$0 diff runs/a runs/b", ""]],
} as const satisfies CommandDefinition<OptionTable>;

export const DOCTOR_COMMAND = {
  name: "doctor",
  describe:
    "Checks this machine: Node, processors, memory, disk, names, network, clock, GPUs, MPI, Slurm and the engines. Each finding with what to do about it. Exit code 4: something is broken.",
  positionals: [],
  options: {
    workers: {
      group: "Checks:",
      describe: "That this host is to have [default one for each core, as serve starts them]",
      schema: wholeNumber(1, 4096),
      placeholder: "N",
    },
    threads: {
      group: "Checks:",
      describe: "Of each worker, and for the measurement of native engines [default 1, as jobs have it]",
      schema: wholeNumber(1, 1024),
      placeholder: "T",
    },
    out: {
      group: "Checks:",
      describe: "Where runs are to be kept [default runs]",
      schema: filePath,
      placeholder: "DIR",
    },
    quick: {
      group: "Checks:",
      describe: "Without measuring the engines' speed, which takes a second for each",
      schema: switchValue,
      isSwitch: true,
    },
    json: { group: "Output:", describe: "One JSON object per finding on stdout", schema: switchValue, isSwitch: true },
  },
  examples: [
    ["$0 doctor", ""],
    ["$0 doctor --workers 8 --out /scratch/runs --json", "one JSON object per finding"],
  ],
} as const satisfies CommandDefinition<OptionTable>;
