import type { RingstrasseError } from "../../shared/failure.js";
import type { PayloadFormat } from "../../shared/step-rules.js";
import type { Strategy } from "../../shared/strategy-choice.js";
import { givenSetting, refuseUseless } from "./given-setting.js";
import { refusedPair } from "./refused-pair.js";
import { type Setting, settle } from "./setting.js";
import type { StepInputs, StepSettings } from "./step-settings.js";

/** Local SGD as it was first published: the mean of the replicas' parameters, every few steps. */
const DEFAULTS = { syncEvery: 8, outerLearningRate: 1, outerMomentum: 0 } as const;

const PARTICULARS = {
  syncEvery: { option: "sync-every", parameter: "syncEvery" },
  outerLearningRate: { option: "outer-learning-rate", parameter: "outerLearningRate" },
  outerMomentum: { option: "outer-momentum", parameter: "outerMomentum" },
} as const;

export type RoundSettings = Pick<StepSettings, "strategy" | keyof typeof PARTICULARS>;

/**
 * The strategy that option or document name, with its particulars. Those that another one doesn't have are refused. Pure.
 * @throws RingstrasseError USAGE, DOCUMENT_INVALID; CHOICE_UNSUPPORTED, DOCUMENT_UNSUPPORTED: what does not go with local-sgd
 */
export function settleRounds(inputs: StepInputs, compress: Setting<PayloadFormat>): RoundSettings {
  const strategy = settle<Strategy>(givenSetting(inputs, { option: "strategy", parameter: "strategy" }), "sync");
  if (strategy.value !== "local-sgd") {
    for (const names of Object.values(PARTICULARS)) {
      refuseUseless(inputs, {
        ...names,
        problem: `it means nothing to the strategy ${strategy.value}`,
        remedy: "Leave it out, or choose --strategy local-sgd",
        isOverridden: inputs.options.strategy !== undefined,
      });
    }
  } else if (compress.value !== "none") {
    throw unroundable(inputs, strategy, compress);
  }
  const particular = (name: keyof typeof PARTICULARS) =>
    settle<number>(givenSetting(inputs, PARTICULARS[name]), DEFAULTS[name]);
  return {
    strategy,
    syncEvery: particular("syncEvery"),
    outerLearningRate: particular("outerLearningRate"),
    outerMomentum: particular("outerMomentum"),
  };
}

/** What is exchanged after a round must come back as it was: replicas' own state too. */
function unroundable(
  { parameters, file }: StepInputs,
  strategy: Setting<Strategy>,
  { value, source }: Setting<PayloadFormat>,
): RingstrasseError {
  const inDocument = strategy.source === "document" && source === "document";
  return refusedPair({
    option: `--compress ${value} with --strategy`,
    value: "local-sgd",
    supported: ["sync"],
    remedy: "Local SGD exchanges float32, seldom: leave --compress out, or give a larger --sync-every for fewer bytes",
    element: {
      file,
      path: inDocument ? (parameters.paths["compress"] ?? null) : null,
      problem: `with the strategy local-sgd replicas exchange float32, not ${value}`,
      supported: ["none, and a larger syncEvery for fewer bytes", "the strategy sync"],
    },
  });
}
