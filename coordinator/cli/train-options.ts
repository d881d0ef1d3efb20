import { z } from "zod";
import {
  choice,
  decimalNumber,
  filePath,
  type OptionTable,
  type OptionValues,
  switchValue,
  wholeNumber,
} from "../../shared/cli/option-table.js";
import { COLLECTIVES, MPI_BINDINGS } from "../../shared/collective-choice.js";
import { ENGINE_WISHES } from "../../shared/engine-name.js";
import { LOG_LEVELS } from "../../shared/logger.js";
import { CHECKPOINT_OPTIONS } from "./checkpoint-options.js";
import { STEP_OPTIONS } from "./step-options.js";
import { STRATEGY_OPTIONS } from "./strategy-options.js";

const DATA = "Data:";
const JOB = "Job (over what the document says):";
const GROUP = "Workers:";
const OUTPUT = "Output:";
const LATER = "Not available yet:";

/** Those that start this command once for each worker. */
const RANKS_LAUNCHERS = ["mpirun", "srun", "torchrun", "kubernetes"] as const;

const seconds = (minimum: number) => decimalNumber(z.number().min(minimum, `at least ${minimum} s`).max(1e6));

/** Everything `ringstrasse train` takes. Choices of later versions are listed so that they are refused by name. */
export const TRAIN_OPTIONS = {
  data: { group: DATA, describe: "A CSV, or an IDX images file (.gz or not)", schema: filePath, placeholder: "PATH" },
  labels: {
    group: DATA,
    describe: "Labels of an IDX images file, where its name doesn't tell",
    schema: filePath,
    placeholder: "PATH",
  },
  "test-data": {
    group: DATA,
    describe: "Test rows; nothing is split off the training data then",
    schema: filePath,
    placeholder: "PATH",
  },
  "test-labels": {
    group: DATA,
    describe: "Labels of an IDX file of test images",
    schema: filePath,
    placeholder: "PATH",
  },
  "test-split": {
    group: DATA,
    describe: "Fraction of rows held out for testing, 0 to below 1 [default 0.2]",
    schema: decimalNumber(z.number().min(0, "at least 0").lt(1, "below 1")),
    placeholder: "F",
  },
  "data-dir": {
    group: DATA,
    describe: "Where prepared rows are kept [default ~/.cache/ringstrasse/rows]",
    schema: filePath,
    placeholder: "DIR",
  },

  seed: { group: JOB, describe: "Seed of everything random [default 0]", schema: wholeNumber(0), placeholder: "N" },
  epochs: {
    group: JOB,
    describe: "Passes over the training rows [default 100]",
    schema: wholeNumber(1, 1e9),
    placeholder: "N",
  },
  "batch-size": {
    group: JOB,
    describe: "Rows per step over all replicas [default all rows]",
    schema: wholeNumber(1),
    placeholder: "B",
  },
  "evaluate-every": {
    group: JOB,
    describe: "Test after every so many epochs, and after the last [default 1]",
    schema: wholeNumber(1),
    placeholder: "N",
  },

  ...STEP_OPTIONS,
  ...STRATEGY_OPTIONS,

  workers: {
    group: GROUP,
    describe: "Worker processes, N [default 1]",
    schema: wholeNumber(1, 4096),
    placeholder: "N",
  },
  "min-workers": {
    group: GROUP,
    describe: "Where the number is free: run on no fewer [default N]",
    schema: wholeNumber(1, 4096),
    placeholder: "N",
  },
  "max-workers": {
    group: GROUP,
    describe: "Where the number is free: run on no more; R follows from it [default N]",
    schema: wholeNumber(1, 4096),
    placeholder: "N",
  },
  replicas: {
    group: GROUP,
    describe: "Logical ranks, R ≥ N: fixes the bits of the result [default N]",
    schema: wholeNumber(1, 65536),
    placeholder: "R",
  },
  threads: {
    group: GROUP,
    describe: "Threads of one replica's computation; wasm has one [default 1]",
    schema: wholeNumber(1, 1024),
    placeholder: "T",
  },
  engine: {
    group: GROUP,
    describe: "auto (the fastest that is here), wasm, tensorflow or tensorflow-gpu [default auto]",
    schema: choice(ENGINE_WISHES),
    placeholder: "NAME",
  },
  collective: {
    group: GROUP,
    describe:
      "auto (the fastest that the hosts allow), ring, shm, hierarchical, parameter-server, or mpi under mpirun [default auto]",
    schema: choice(["auto", ...COLLECTIVES]),
    placeholder: "NAME",
  },
  transport: {
    group: GROUP,
    describe: "Of ring and parameter-server: auto, tcp or ipc; a hierarchical ring chooses by hop [default auto]",
    schema: choice(["auto", "tcp", "ipc"]),
    placeholder: "NAME",
  },
  "mpi-mode": {
    group: GROUP,
    describe: "Of the collective mpi: ordered (same bits) or allreduce (MPI's own order) [default ordered]",
    schema: choice(["ordered", "allreduce"]),
    placeholder: "NAME",
  },
  encrypt: {
    group: GROUP,
    describe: "Encrypt what workers send each other over tcp, gradients above all [default: in the clear]",
    schema: switchValue,
    isSwitch: true,
  },
  "mpi-library": {
    group: GROUP,
    describe: "MPI's library under mpirun [default libmpi.so.40 for Open MPI, libmpich.so.12 for MPICH]",
    schema: filePath,
    placeholder: "FILE",
  },
  "mpi-binding": {
    group: GROUP,
    describe:
      "How a rank calls MPI: ffi (its library, in the rank's process), sidecar (a small program beside it), or auto (ffi, and sidecar where the library can't be loaded) [default auto]",
    schema: choice(MPI_BINDINGS),
    placeholder: "NAME",
  },
  "mpi-compiler": {
    group: GROUP,
    describe:
      "What compiles the sidecar, at its first use [default mpicc.openmpi or mpicc.mpich, as mpirun is, where there is one, else mpicc]",
    schema: filePath,
    placeholder: "FILE",
  },
  launcher: {
    group: GROUP,
    describe:
      "local starts the workers here; none waits for workers started by hand; mpirun, srun, torchrun, kubernetes: each of its ranks is one [default the one that started this process, else local]",
    schema: choice(["local", "none", ...RANKS_LAUNCHERS]),
    placeholder: "NAME",
  },
  host: {
    group: GROUP,
    describe: "Address to listen on for workers started by hand [default 127.0.0.1]",
    schema: z.string().min(1),
    placeholder: "ADDRESS",
  },
  interface: {
    group: GROUP,
    describe: "Network interface between ranks on several hosts [default the one on the way to the peers]",
    schema: z.string().min(1),
    placeholder: "NAME",
  },
  port: {
    group: GROUP,
    describe: "Port to listen on for workers [default any free one]",
    schema: wholeNumber(0, 65535),
    placeholder: "N",
  },
  token: {
    group: GROUP,
    describe:
      "Secret that workers must show; under srun, torchrun and Kubernetes it is needed, for ranks to know each other [default a random one]",
    schema: z.string().min(1),
    placeholder: "TEXT",
  },
  "join-timeout": {
    group: GROUP,
    describe: "Seconds to wait for all workers [default 60]",
    schema: seconds(0.1),
    placeholder: "S",
  },
  "silence-timeout": {
    group: GROUP,
    describe: "Seconds without a heartbeat after which a worker counts as frozen [default 10]",
    schema: seconds(0.5),
    placeholder: "S",
  },
  "stall-timeout": {
    group: GROUP,
    describe: "Seconds without progress after which a worker counts as hung [default 120]",
    schema: seconds(0.5),
    placeholder: "S",
  },
  "inject-fault": {
    group: GROUP,
    describe: "For tests of failure handling: crash|freeze|hang|throw@rank=R,step=S",
    schema: z.array(z.string()),
    isList: true,
    placeholder: "FAULT",
  },

  ...CHECKPOINT_OPTIONS,

  out: { group: OUTPUT, describe: "Output directory [default runs/JOB]", schema: filePath, placeholder: "DIR" },
  json: { group: OUTPUT, describe: "One JSON object per line on stdout", schema: switchValue, isSwitch: true },
  "report-to": {
    group: OUTPUT,
    describe: "Report to a server: http://HOST:PORT/vinnsl/ID, or file:///SPOOL/ID on a shared file system",
    schema: z.string(),
    placeholder: "URL",
  },
  "report-token": {
    group: OUTPUT,
    describe: "That server's write token, best as RINGSTRASSE_REPORT_TOKEN [default --token]",
    schema: z.string().min(1),
    placeholder: "TEXT",
  },
  "block-hashes": {
    group: OUTPUT,
    describe: "Keep hashes for `ringstrasse diff` of every epoch or every step [default epoch]",
    schema: choice(["epoch", "step"]),
    placeholder: "WHEN",
  },
  "log-level": {
    group: OUTPUT,
    describe: `Of the log on stderr: ${LOG_LEVELS.join(", ")} [default warn]`,
    schema: choice(LOG_LEVELS),
    placeholder: "LEVEL",
  },

  insecure: { group: LATER, describe: "Serve without a token", schema: switchValue, isSwitch: true },
} as const satisfies OptionTable;

export type TrainOptions = OptionValues<typeof TRAIN_OPTIONS>;
export type TrainOptionName = keyof typeof TRAIN_OPTIONS;

/** Whether the workers are the ranks of a launcher that started this command once for each. */
export function isRanksLauncher(launcher: TrainOptions["launcher"]): boolean {
  return RANKS_LAUNCHERS.some((each) => each === launcher);
}
