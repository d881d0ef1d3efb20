import { z } from "zod";
import { type OptionTable, type OptionValues, wholeNumber } from "../../shared/cli/option-table.js";
import { parseSlurmTime } from "../submit/slurm-time.js";

const BATCH = "Batch job:";

/** What a batch job itself is asked for by. */
export const BATCH_OPTIONS = {
  nodes: { group: BATCH, describe: "Nodes, N [default 1]", schema: wholeNumber(1, 100_000), placeholder: "N" },
  "tasks-per-node": {
    group: BATCH,
    describe: "Ranks on each node; each is one worker [default 1, with GPUs one for each]",
    schema: wholeNumber(1, 4096),
    placeholder: "T",
  },
  "cpus-per-task": {
    group: BATCH,
    describe: "Cores of each rank [default --threads, else 1]",
    schema: wholeNumber(1, 4096),
    placeholder: "C",
  },
  "gpus-per-node": {
    group: BATCH,
    describe: "GPUs on each node, one for each rank [default none]",
    schema: wholeNumber(1, 1024),
    placeholder: "G",
  },
  partition: {
    group: BATCH,
    describe: "Partition [default the cluster's]",
    schema: z.string().regex(/^[A-Za-z0-9_.+-]{1,200}$/, "a partition's name is needed"),
    placeholder: "NAME",
  },
  account: {
    group: BATCH,
    describe: "Account that the job is charged to [default the user's]",
    schema: z.string().regex(/^[A-Za-z0-9_.@+-]{1,200}$/, "an account's name is needed"),
    placeholder: "NAME",
  },
  time: {
    group: BATCH,
    describe: "Time limit as Slurm writes it: minutes, H:MM:SS or D-HH:MM:SS [default the partition's]",
    schema: z.string().refine((text) => Number.isFinite(parseSlurmTime(text)), "e.g. 90, 1:30:00 or 2-12:00:00"),
    placeholder: "TIME",
  },
} as const satisfies OptionTable;

export type BatchOptions = OptionValues<typeof BATCH_OPTIONS>;
export type BatchOptionName = keyof typeof BATCH_OPTIONS;
