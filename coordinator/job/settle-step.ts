import type { WarmUp } from "../../shared/learning-rate/warm-up.js";
import type { PayloadFormat } from "../../shared/step-rules.js";
import { givenSetting, refuseUseless } from "./given-setting.js";
import { unsupported } from "./refuse-unsupported.js";
import { type Setting, settle } from "./setting.js";
import { settleSchedule } from "./settle-schedule.js";
import type { StepInputs, StepSettings } from "./step-settings.js";

/**
 * How the job's steps are cut, exchanged and applied, from options and document. Pure.
 * @throws RingstrasseError USAGE, DOCUMENT_INVALID: what would mean nothing; CHOICE_UNSUPPORTED: topk
 */
export function settleStep(inputs: StepInputs): StepSettings {
  const compress = settleCompression(inputs);
  return {
    accumulate: settle(givenSetting(inputs, { option: "accumulate", parameter: "accumulate" }), 1),
    clipNorm: settle<number | null>(givenSetting(inputs, { option: "clip-norm", parameter: "clipNorm" }), null),
    schedule: settleSchedule(inputs),
    warmUp: settle<WarmUp | null>(givenSetting(inputs, { option: "warm-up", parameter: "warmUp" }), null),
    referenceBatch: settle<number | null>(
      givenSetting(inputs, { option: "scale-learning-rate", parameter: "referenceBatch" }),
      null,
    ),
    compress,
    lossScale: settleLossScale(inputs, compress),
  };
}

function settleCompression(inputs: StepInputs): Setting<PayloadFormat> {
  const { value, source } = settle(givenSetting(inputs, { option: "compress", parameter: "compress" }), "none");
  // refuseUnsupported has had it by name; who has not asked there is told here.
  if (value === "topk") throw unsupported("--compress", value, ["none", "bf16", "fp16"]);
  return { value, source };
}

function settleLossScale(inputs: StepInputs, compress: Setting<PayloadFormat>): Setting<number | "dynamic"> {
  const names = { option: "loss-scale", parameter: "lossScale" } as const;
  if (compress.value !== "fp16") {
    refuseUseless(inputs, {
      ...names,
      problem: `only fp16 scales gradients, and the exchange is in ${compress.value === "none" ? "float32" : compress.value}`,
      remedy: "Leave it out, or choose --compress fp16",
      isOverridden: inputs.options.compress !== undefined,
    });
  }
  return settle<number | "dynamic">(givenSetting(inputs, names), "dynamic");
}
