import { z } from "zod";
import { type OptionTable, type OptionValues, switchValue, wholeNumber } from "../../shared/cli/option-table.js";
import { BATCH_OPTIONS } from "./batch-options.js";
import { TRAIN_OPTIONS, type TrainOptionName } from "./train-options.js";

/** Options of `train` that the batch job itself decides, or that don't suit one. */
const DECIDED = [
  "workers",
  "min-workers",
  "max-workers",
  "launcher",
  "host",
  "port",
  "token",
  "report-token",
  "mpi-mode",
  "mpi-library",
  "mpi-binding",
  "mpi-compiler",
  "transport",
  "resume",
] as const satisfies readonly TrainOptionName[];
type Decided = (typeof DECIDED)[number];

type PassedOptions = Omit<typeof TRAIN_OPTIONS, Decided>;

/** Options that go on to `ringstrasse train` in the job. */
export const PASSED_OPTIONS = Object.fromEntries(
  Object.entries(TRAIN_OPTIONS).filter(([name]) => !DECIDED.some((each) => each === name)),
) as PassedOptions;

/** Everything `ringstrasse submit slurm` takes. */
export const SUBMIT_OPTIONS = {
  ...BATCH_OPTIONS,
  sweep: {
    group: BATCH_OPTIONS.nodes.group,
    describe: "A job array: one run for each value of a parameter of the document; several: for each combination",
    schema: z.array(z.string()),
    isList: true,
    placeholder: "NAME=V,V,…",
  },
  "at-once": {
    group: BATCH_OPTIONS.nodes.group,
    describe: "Runs of a sweep that go on side by side at most [default: as the cluster has room]",
    schema: wholeNumber(1, 1000),
    placeholder: "K",
  },
  "dry-run": {
    group: BATCH_OPTIONS.nodes.group,
    describe: "Write and check, but don't submit",
    schema: switchValue,
    isSwitch: true,
  },
  ...PASSED_OPTIONS,
  resume: TRAIN_OPTIONS.resume,
} as const satisfies OptionTable;

export type SubmitOptions = OptionValues<typeof SUBMIT_OPTIONS>;
