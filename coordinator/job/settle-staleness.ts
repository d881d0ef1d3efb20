import type { Strategy } from "../../shared/strategy-choice.js";
import { givenSetting, refuseUseless } from "./given-setting.js";
import { type Setting, settle } from "./setting.js";
import type { StepInputs } from "./step-settings.js";

/** Enough for workers not to wait for each other's hiccups, and little for the accuracy. */
const DEFAULT_STEPS_AHEAD = 4;

/**
 * How far ahead of the slowest a worker of an asynchronous job may be. Pure.
 * @throws RingstrasseError USAGE, DOCUMENT_INVALID where another strategy is meant
 */
export function settleStaleness(inputs: StepInputs, strategy: Setting<Strategy>): Setting<number> {
  const names = { option: "max-staleness", parameter: "maxStaleness" } as const;
  if (strategy.value !== "async") {
    refuseUseless(inputs, {
      ...names,
      problem: `it means nothing to the strategy ${strategy.value}`,
      remedy: "Leave it out, or choose --strategy async",
      isOverridden: inputs.options.strategy !== undefined,
    });
  }
  return settle(givenSetting(inputs, names), DEFAULT_STEPS_AHEAD);
}
