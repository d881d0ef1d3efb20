import type { WarmUp } from "../../shared/learning-rate/warm-up.js";
import type { PayloadFormat, Precision } from "../../shared/step-rules.js";
import { givenSetting, refuseUseless } from "./given-setting.js";
import { type Setting, settle } from "./setting.js";
import { settleRounds } from "./settle-rounds.js";
import { settleSchedule } from "./settle-schedule.js";
import { settleStaleness } from "./settle-staleness.js";
import type { StepInputs, StepSettings } from "./step-settings.js";

/** Deep gradient compression sends a tenth of that, with more care; at 1 % nothing else is needed. */
const DEFAULT_TOPK_FRACTION = 0.01;

/**
 * How the job's steps are cut, exchanged and applied, from options and document. Pure.
 * @throws RingstrasseError USAGE, DOCUMENT_INVALID: what would mean nothing; CHOICE_UNSUPPORTED: what does not go together
 */
export function settleStep(inputs: StepInputs): StepSettings {
  const compress = settle<PayloadFormat>(givenSetting(inputs, { option: "compress", parameter: "compress" }), "none");
  const rounds = settleRounds(inputs, compress);
  return {
    accumulate: settle(givenSetting(inputs, { option: "accumulate", parameter: "accumulate" }), 1),
    clipNorm: settle<number | null>(givenSetting(inputs, { option: "clip-norm", parameter: "clipNorm" }), null),
    precision: settle<Precision>(givenSetting(inputs, { option: "precision", parameter: "precision" }), "float32"),
    schedule: settleSchedule(inputs),
    warmUp: settle<WarmUp | null>(givenSetting(inputs, { option: "warm-up", parameter: "warmUp" }), null),
    referenceBatch: settle<number | null>(
      givenSetting(inputs, { option: "scale-learning-rate", parameter: "referenceBatch" }),
      null,
    ),
    compress,
    lossScale: settleLossScale(inputs, compress),
    topkFraction: settleTopkFraction(inputs, compress),
    ...rounds,
    maxStaleness: settleStaleness(inputs, rounds.strategy),
  };
}

function settleTopkFraction(inputs: StepInputs, compress: Setting<PayloadFormat>): Setting<number> {
  const names = { option: "topk-fraction", parameter: "topkFraction" } as const;
  if (compress.value !== "topk") {
    refuseUseless(inputs, {
      ...names,
      problem: "only topk leaves gradients out",
      remedy: "Leave it out, or choose --compress topk",
      isOverridden: inputs.options.compress !== undefined,
    });
  }
  return settle<number>(givenSetting(inputs, names), DEFAULT_TOPK_FRACTION);
}

function settleLossScale(inputs: StepInputs, compress: Setting<PayloadFormat>): Setting<number | "dynamic"> {
  const names = { option: "loss-scale", parameter: "lossScale" } as const;
  if (compress.value !== "fp16") {
    refuseUseless(inputs, {
      ...names,
      problem: `only fp16 scales gradients, and the exchange is in ${compress.value === "bf16" ? "bf16" : "float32"}`,
      remedy: "Leave it out, or choose --compress fp16",
      isOverridden: inputs.options.compress !== undefined,
    });
  }
  return settle<number | "dynamic">(givenSetting(inputs, names), "dynamic");
}
