import { availableParallelism } from "node:os";
import { z } from "zod";
import { TokenSchema } from "../../shared/api/token.js";
import {
  choice,
  decimalNumber,
  filePath,
  type OptionTable,
  type OptionValues,
  switchValue,
  wholeNumber,
} from "../../shared/cli/option-table.js";
import { ENGINE_WISHES } from "../../shared/engine-name.js";
import { LOG_LEVELS } from "../../shared/logger.js";
import { BATCH_OPTIONS } from "./batch-options.js";
import { CHECKPOINT_OPTIONS } from "./checkpoint-options.js";
import { TRAIN_OPTIONS } from "./train-options.js";

const SERVICE = "Service:";
const WORKERS = "Workers:";
const CHECKPOINTS = "Checkpoints (also of jobs that run when the server ends):";
const STORE = "Store:";
const OUTPUT = "Output:";

const seconds = (minimum: number) => decimalNumber(z.number().min(minimum, `at least ${minimum} s`).max(1e6));

export const DEFAULT_PORT = 8080;
export const DEFAULT_CONTROL_PORT = 7070;
/** Between two checkpoints of a job. */
export const DEFAULT_CHECKPOINT_MINUTES = 5;
const WORKER_LOSS_WISHES = ["end", "resume"] as const;
/** What becomes of a job that has lost a worker: it fails, or waits to go on. */
export type WorkerLossWish = (typeof WORKER_LOSS_WISHES)[number];

/** Everything `ringstrasse serve` takes. */
export const SERVE_OPTIONS = {
  host: {
    group: SERVICE,
    describe: "Address to listen at; one that others can reach needs a token [default 127.0.0.1]",
    schema: z.string().min(1),
    placeholder: "ADDRESS",
  },
  port: {
    group: SERVICE,
    describe: `Of the REST interface and the dashboard; 0: any that is free [default ${DEFAULT_PORT}]`,
    schema: wholeNumber(0, 65_535),
    placeholder: "PORT",
  },
  token: {
    group: SERVICE,
    describe: "Secret of clients that may change things, and of workers; best as RINGSTRASSE_TOKEN",
    schema: TokenSchema,
    isSecret: true,
    placeholder: "TEXT",
  },
  "read-token": {
    group: SERVICE,
    describe: "Secret of clients that may only look",
    schema: TokenSchema,
    isSecret: true,
    placeholder: "TEXT",
  },
  insecure: {
    group: SERVICE,
    describe: "Let everybody who reaches the address do everything, without a token",
    schema: switchValue,
    isSwitch: true,
  },
  "public-url": {
    group: SERVICE,
    describe: "Where clients reach this server, when a proxy stands before it: scheme, host and port",
    schema: z
      .url({ protocol: /^https?$/ })
      .refine(isOrigin, { error: "the server's paths begin at the root: give scheme, host and port alone" }),
    placeholder: "URL",
  },

  launcher: {
    group: WORKERS,
    describe:
      "local: jobs train on workers of this host and those that join; slurm: each is a batch job [default local]",
    schema: choice(["local", "slurm"]),
    placeholder: "NAME",
  },
  workers: {
    group: WORKERS,
    describe: `Worker processes on this host; 0: only those that join [default ${availableParallelism()}, the cores here]`,
    schema: wholeNumber(0, 1024),
    placeholder: "N",
  },
  engine: {
    group: WORKERS,
    describe:
      "Of all jobs and of the workers on this host: auto, wasm, tensorflow or tensorflow-gpu [default: what each document says, else the fastest that all workers of a job have]",
    schema: choice(ENGINE_WISHES),
    placeholder: "NAME",
  },
  threads: {
    group: WORKERS,
    describe: "Of one computation, of all jobs and of the workers on this host; wasm has one [default 1]",
    schema: wholeNumber(1, 1024),
    placeholder: "T",
  },
  encrypt: { ...TRAIN_OPTIONS.encrypt, group: WORKERS },
  "control-port": {
    group: WORKERS,
    describe: `Where workers join; 0: any that is free [default ${DEFAULT_CONTROL_PORT}]`,
    schema: wholeNumber(0, 65_535),
    placeholder: "PORT",
  },
  "silence-timeout": {
    group: WORKERS,
    describe: "Seconds without a heartbeat after which a worker counts as frozen [default 10]",
    schema: seconds(0.5),
    placeholder: "S",
  },
  "stall-timeout": {
    group: WORKERS,
    describe: "Seconds without progress after which a worker counts as hung [default 120]",
    schema: seconds(0.5),
    placeholder: "S",
  },

  "checkpoint-steps": { ...CHECKPOINT_OPTIONS["checkpoint-steps"], group: CHECKPOINTS },
  "checkpoint-epochs": { ...CHECKPOINT_OPTIONS["checkpoint-epochs"], group: CHECKPOINTS },
  "checkpoint-minutes": {
    group: CHECKPOINTS,
    describe: `Save the state when so many minutes have passed since the last time; 0: not by time [default ${DEFAULT_CHECKPOINT_MINUTES}, with steps or epochs given 0]`,
    schema: decimalNumber(z.number().min(0, "at least 0").max(1e6)),
    placeholder: "M",
  },
  "keep-checkpoints": { ...CHECKPOINT_OPTIONS["keep-checkpoints"], group: CHECKPOINTS },
  "after-worker-loss": {
    group: CHECKPOINTS,
    describe:
      "What becomes of a job when a worker of it dies, freezes or hangs: end (it fails, by name) or resume (it goes on by itself, as long as it gets further) [default end]",
    schema: choice(WORKER_LOSS_WISHES),
    placeholder: "WHAT",
  },
  ...BATCH_OPTIONS,
  "shared-dir": {
    group: BATCH_OPTIONS.nodes.group,
    describe: "Folder that all nodes share, for what jobs read and write [default ~/.local/share/ringstrasse/slurm]",
    schema: filePath,
    placeholder: "DIR",
  },

  "data-dir": {
    group: STORE,
    describe: "Where jobs, files and results are kept; on a local disk [default ~/.local/share/ringstrasse]",
    schema: filePath,
    placeholder: "DIR",
  },
  quota: {
    group: STORE,
    describe: "GiB that stored files may take together [default 20]",
    schema: decimalNumber(z.number().min(0.001, "at least 0.001").max(1e6)),
    placeholder: "GIB",
  },
  "max-file": {
    group: STORE,
    describe: "GiB that one file may have [default 4]",
    schema: decimalNumber(z.number().min(0.001, "at least 0.001").max(1e6)),
    placeholder: "GIB",
  },
  spool: {
    group: STORE,
    describe: "Folder on a shared file system in which jobs that run elsewhere leave their reports",
    schema: filePath,
    placeholder: "DIR",
  },

  json: {
    group: OUTPUT,
    describe: "Say on stdout as JSON where the server listens",
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

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, href } = new URL(text);
  return href === `${origin}/`;
}

export type ServeOptions = OptionValues<typeof SERVE_OPTIONS>;
