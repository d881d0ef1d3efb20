import { z } from "zod";
import { choice, decimalNumber, type OptionTable, wholeNumber } from "../../shared/cli/option-table.js";
import { HIGHEST_POWER, SCHEDULE_KINDS } from "../../shared/learning-rate/schedule.js";
import { parseWarmUp, WARM_UP_FORM } from "../../shared/learning-rate/warm-up.js";
import {
  isLossScale,
  LOSS_SCALE_FORM,
  MOST_MICRO_BATCHES,
  PAYLOAD_FORMATS,
  PRECISIONS,
} from "../../shared/step-rules.js";

const STEPS = "Steps (over what the document says):";

const warmUp = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseWarmUp(String(value));
  if (parsed !== null) return parsed;
  context.addIssue({ code: "custom", message: `${WARM_UP_FORM} are needed` });
  return z.NEVER;
});

const lossScale = z.union([z.string(), z.number()]).transform((value, context) => {
  if (value === "dynamic") return value;
  const scale = value === "" ? Number.NaN : Number(value);
  if (isLossScale(scale)) return scale;
  context.addIssue({ code: "custom", message: `${LOSS_SCALE_FORM} is needed` });
  return z.NEVER;
});

/** How the steps of a job are cut, exchanged and applied. */
export const STEP_OPTIONS = {
  accumulate: {
    group: STEPS,
    describe: "Micro-batches that each replica computes its part of a step in; B stays the same [default 1]",
    schema: wholeNumber(1, MOST_MICRO_BATCHES),
    placeholder: "K",
  },
  "clip-norm": {
    group: STEPS,
    describe: "Longest mean gradient; longer ones are made so long [default: any length]",
    schema: decimalNumber(z.number().positive("more than 0")),
    placeholder: "X",
  },
  precision: {
    group: STEPS,
    describe: "Of the layers' products: float32, or bfloat16 (mixed precision; native engines) [default float32]",
    schema: choice(PRECISIONS),
    placeholder: "NAME",
  },
  schedule: {
    group: STEPS,
    describe: `Of the learning rate: ${SCHEDULE_KINDS.join(", ")} [default constant]`,
    schema: choice(SCHEDULE_KINDS),
    placeholder: "NAME",
  },
  decay: {
    group: STEPS,
    describe: "Of step and exponential: factor at each fall [default 0.1; exponential 0.95]",
    schema: decimalNumber(z.number().positive("more than 0").max(1, "at most 1")),
    placeholder: "F",
  },
  "decay-every": {
    group: STEPS,
    describe: "Of step: epochs between falls [default a third of all]",
    schema: wholeNumber(1, 1e9),
    placeholder: "N",
  },
  "final-rate": {
    group: STEPS,
    describe: "Of cosine and polynomial: where they end, as a share of the learning rate [default 0]",
    schema: decimalNumber(z.number().min(0, "at least 0").max(1, "at most 1")),
    placeholder: "F",
  },
  power: {
    group: STEPS,
    describe: "Of polynomial; 1 is a straight line [default 1]",
    schema: wholeNumber(1, HIGHEST_POWER),
    placeholder: "N",
  },
  "warm-up": {
    group: STEPS,
    describe: `The learning rate rises to its height in so many ${WARM_UP_FORM} [default none]`,
    schema: warmUp,
    placeholder: "LENGTH",
  },
  "scale-learning-rate": {
    group: STEPS,
    describe:
      "The learning rate is meant for steps of so many rows: scale it to this job's [default: take it as it is]",
    schema: wholeNumber(1),
    placeholder: "ROWS",
  },
  compress: {
    group: STEPS,
    describe:
      "Send gradients as none (float32), bf16 or fp16: half the bytes; or topk: only the largest [default none]",
    schema: choice(PAYLOAD_FORMATS),
    placeholder: "NAME",
  },
  "topk-fraction": {
    group: STEPS,
    describe: "Of topk: share of its gradients that each replica sends in a step [default 0.01]",
    schema: decimalNumber(z.number().positive("more than 0").max(1, "at most 1")),
    placeholder: "F",
  },
  "loss-scale": {
    group: STEPS,
    describe: `Of fp16: ${LOSS_SCALE_FORM} [default dynamic]`,
    schema: lossScale,
    placeholder: "S",
  },
} as const satisfies OptionTable;
