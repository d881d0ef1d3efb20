import type { OptionTable } from "../../shared/cli/option-table.js";
import type { CommandDefinition } from "../../shared/cli/parse-command.js";
import { PREDICT_OPTIONS, WORKER_OPTIONS } from "../config.js";

export const WORKER_COMMAND = {
  name: "worker",
  describe: "Joins a coordinator and trains what it is given, until it is told to stop.",
  positionals: [],
  options: WORKER_OPTIONS,
  examples: [["RINGSTRASSE_TOKEN=… $0 worker --coordinator tcp://10.0.0.1:7000", ""]],
} as const satisfies CommandDefinition<OptionTable>;

export const PREDICT_COMMAND = {
  name: "predict",
  describe: "Rows in, predictions out; or how good they are.",
  positionals: [{ name: "MODEL", describe: "a run's model directory" }],
  options: PREDICT_OPTIONS,
  examples: [
    ["$0 predict runs/demo-iris/model --data rows.csv", ""],
    ["$0 predict runs/demo-iris/model --data labelled-rows.csv --evaluate", "accuracy and confusion matrix"],
  ],
} as const satisfies CommandDefinition<OptionTable>;
