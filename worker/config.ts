import process from "node:process";
import { z } from "zod";
import {
  choice,
  filePath,
  type OptionTable,
  type OptionValues,
  switchValue,
  wholeNumber,
} from "../shared/cli/option-table.js";
import { ENGINE_WISHES } from "../shared/engine-name.js";
import { WorkerIdSchema } from "../shared/ids.js";
import { LOG_LEVELS } from "../shared/logger.js";

const JOIN = "Joining:";
const COMPUTING = "Computing:";
const OUTPUT = "Output:";

/** Everything `ringstrasse worker` takes. */
export const WORKER_OPTIONS = {
  coordinator: {
    group: JOIN,
    describe: "Where the coordinator listens, e.g. tcp://10.0.0.1:7000",
    schema: z.string().regex(/^(tcp:\/\/.+:\d+|ipc:\/\/.+)$/, "tcp://HOST:PORT or ipc://PATH is needed"),
    placeholder: "ENDPOINT",
  },
  token: { group: JOIN, describe: "The coordinator's secret", schema: z.string().min(1), placeholder: "TEXT" },
  "worker-id": {
    group: JOIN,
    describe: "This worker's name [default HOST-PID and four random digits]",
    schema: WorkerIdSchema,
    placeholder: "NAME",
  },
  address: {
    group: JOIN,
    describe:
      "This host's address as the other workers reach it; 0.0.0.0: the first that leads out [default the one on the way to the coordinator]",
    schema: z.string().min(1),
    placeholder: "ADDRESS",
  },
  "health-port": {
    group: JOIN,
    describe:
      "Answer an orchestrator's probes, GET /health and GET /ready, at this port of all addresses [default nowhere]",
    schema: wholeNumber(1, 65_535),
    placeholder: "PORT",
  },
  engine: {
    group: COMPUTING,
    describe:
      "What it offers: wasm, tensorflow or tensorflow-gpu; auto: the fastest that is here, and wasm [default auto]",
    schema: choice(ENGINE_WISHES),
    placeholder: "NAME",
  },
  threads: {
    group: COMPUTING,
    describe: "Of one computation of a native engine; jobs that ask for others go elsewhere [default 1]",
    schema: wholeNumber(1, 1024),
    placeholder: "T",
  },
  "exit-with-parent": {
    group: JOIN,
    describe: "Leave when stdin closes (set by launchers)",
    schema: switchValue,
    isSwitch: true,
  },
  "log-level": {
    group: OUTPUT,
    describe: `Of the log on stderr: ${LOG_LEVELS.join(", ")} [default warn]`,
    schema: choice(LOG_LEVELS),
    placeholder: "LEVEL",
  },
} as const satisfies OptionTable;

/** Everything `ringstrasse predict` takes beside the model. */
export const PREDICT_OPTIONS = {
  data: {
    group: "Data:",
    describe: "Rows to predict: a CSV or an IDX images file",
    schema: filePath,
    placeholder: "PATH",
  },
  engine: {
    group: COMPUTING,
    describe: "auto (the fastest that is here), wasm, tensorflow or tensorflow-gpu [default auto]",
    schema: choice(ENGINE_WISHES),
    placeholder: "NAME",
  },
  threads: {
    group: COMPUTING,
    describe: "Of a native engine [default 1]",
    schema: wholeNumber(1, 1024),
    placeholder: "T",
  },
  labels: { group: "Data:", describe: "Labels of an IDX images file", schema: filePath, placeholder: "PATH" },
  "row-file": {
    group: "Data:",
    describe: "Rows that a run has prepared, in the place of --data; with --evaluate (set by the server)",
    schema: filePath,
    placeholder: "PATH",
  },
  evaluate: {
    group: OUTPUT,
    describe: "No predictions, but how good they are at rows with their labels: loss, accuracy, confusion matrix",
    schema: switchValue,
    isSwitch: true,
  },
  format: {
    group: OUTPUT,
    describe: "csv or json [default csv]",
    schema: choice(["csv", "json"]),
    placeholder: "NAME",
  },
  json: {
    group: OUTPUT,
    describe: "The same as --format json; with --evaluate one JSON object",
    schema: switchValue,
    isSwitch: true,
  },
  "exit-with-parent": {
    group: OUTPUT,
    describe: "End when stdin closes (set by the server)",
    schema: switchValue,
    isSwitch: true,
  },
} as const satisfies OptionTable;

export type WorkerCommandOptions = OptionValues<typeof WORKER_OPTIONS>;
export type PredictCommandOptions = OptionValues<typeof PREDICT_OPTIONS>;

/** Read once, here and nowhere else on the worker's side. */
export function readEnvironment(): NodeJS.ProcessEnv {
  return process.env;
}
