import { RingstrasseError } from "../../shared/failure.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";
import type { TrainingParameters } from "../vinnsl/network-definition.js";
import type { Given } from "./setting.js";
import type { StepInputs } from "./step-settings.js";

type ParameterName = keyof Omit<TrainingParameters, "paths">;

/** An option and the parameter of the document that says the same. */
export interface SettingNames<Option extends TrainOptionName, Parameter extends ParameterName> {
  readonly option: Option;
  readonly parameter: Parameter;
}

/** What option and document say of one setting. Pure. */
export function givenSetting<Option extends TrainOptionName, Parameter extends ParameterName>(
  { parameters, options, sources }: StepInputs,
  { option, parameter }: SettingNames<Option, Parameter>,
): Given<NonNullable<TrainOptions[Option] | TrainingParameters[Parameter]>> {
  return {
    option: options[option] ?? undefined,
    source: sources[option],
    document: parameters[parameter] ?? undefined,
  };
}

export interface UselessSetting extends SettingNames<TrainOptionName, ParameterName> {
  /** Why it means nothing, e.g. `the schedule cosine has no power`. */
  readonly problem: string;
  readonly remedy: string;
  /** Whether an option has overridden what the document's parameter belongs to: then it is overridden with it. */
  readonly isOverridden: boolean;
}

/**
 * Refuses a setting that would mean nothing; nothing happens where it was not given.
 * @throws RingstrasseError USAGE: an option; DOCUMENT_INVALID: an element
 */
export function refuseUseless({ parameters, options, file }: StepInputs, useless: UselessSetting): void {
  const { option, parameter, problem, remedy } = useless;
  if (options[option] !== undefined) {
    throw new RingstrasseError({ code: "USAGE", option: `--${option}`, problem, remedy });
  }
  if (parameters[parameter] === undefined || useless.isOverridden) return;
  const elementPath = parameters.paths[parameter] ?? null;
  const place = { file, line: null, column: null, elementPath };
  throw new RingstrasseError({ code: "DOCUMENT_INVALID", ...place, problem, remedy });
}
