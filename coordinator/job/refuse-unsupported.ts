import { RingstrasseError } from "../../shared/failure.js";
import type { TrainOptions } from "../cli/train-options.js";

interface Choice {
  readonly option: string;
  readonly value: unknown;
  readonly supported: readonly (string | number)[];
}

/** Choices that this version knows of but can't do are refused by name, never ignored. @throws RingstrasseError CHOICE_UNSUPPORTED */
export function refuseUnsupported(options: TrainOptions): void {
  const choices: readonly Choice[] = [{ option: "--insecure", value: options.insecure, supported: [] }];
  for (const { option, value, supported } of choices) {
    // A switch that is off asks for nothing.
    if (value !== undefined && value !== false && !supported.some((candidate) => candidate === value))
      throw unsupported(option, value, supported);
  }
}

/** The failure that refuses `value`; true stands for a switch that was given. */
export function unsupported(option: string, value: unknown, supported: readonly (string | number)[]): RingstrasseError {
  const remedy =
    supported.length === 0
      ? "Leave it out: this version can't do it yet"
      : "Choose one of those: this version can't do it yet";
  return new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option,
    value: value === true ? "" : String(value),
    supported: supported.map(String),
    remedy,
  });
}
