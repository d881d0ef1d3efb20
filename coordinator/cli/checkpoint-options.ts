import { z } from "zod";
import {
  decimalNumber,
  filePath,
  type OptionTable,
  type OptionValues,
  wholeNumber,
} from "../../shared/cli/option-table.js";

const CHECKPOINTS = "Checkpoints (also on SIGTERM, SIGUSR1 and SIGUSR2, which end the run):";

/** When a run's state is saved, and what a run goes on from. */
export const CHECKPOINT_OPTIONS = {
  "checkpoint-steps": {
    group: CHECKPOINTS,
    describe: "Save the state after every so many steps [default: not by steps]",
    schema: wholeNumber(1),
    placeholder: "N",
  },
  "checkpoint-epochs": {
    group: CHECKPOINTS,
    describe: "Save the state after every so many epochs [default: not by epochs]",
    schema: wholeNumber(1),
    placeholder: "N",
  },
  "checkpoint-minutes": {
    group: CHECKPOINTS,
    describe: "Save the state when so many minutes have passed since the last time [default: not by time]",
    schema: decimalNumber(z.number().positive("more than 0").max(1e6)),
    placeholder: "M",
  },
  "keep-checkpoints": {
    group: CHECKPOINTS,
    describe: "How many of the last ones stay [default 3]",
    schema: wholeNumber(1, 1e6),
    placeholder: "N",
  },
  resume: {
    group: CHECKPOINTS,
    describe: "Go on from a run's output directory or one of its checkpoints; auto: from --out, where there is one",
    schema: filePath,
    placeholder: "PATH",
  },
} as const satisfies OptionTable;

export type CheckpointOptions = OptionValues<typeof CHECKPOINT_OPTIONS>;
