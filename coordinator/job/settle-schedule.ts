import type { Schedule, ScheduleKind } from "../../shared/learning-rate/schedule.js";
import { unreachable } from "../../shared/unreachable.js";
import { givenSetting, refuseUseless } from "./given-setting.js";
import { type Setting, settle } from "./setting.js";
import type { StepInputs } from "./step-settings.js";

/** A schedule whose epochs between falls may follow from the job's: null: a third of them. */
export type ScheduleWish =
  | Exclude<Schedule, { readonly kind: "step" }>
  | { readonly kind: "step"; readonly decay: number; readonly every: number | null };

const DEFAULT_DECAY = { step: 0.1, exponential: 0.95 } as const;
/** Falls of a `step` schedule that doesn't say how often: after a third and two thirds of the epochs. */
const PARTS = 3;

const PARTICULARS = {
  decay: { option: "decay", parameter: "decay", of: ["step", "exponential"] },
  every: { option: "decay-every", parameter: "decayEvery", of: ["step"] },
  final: { option: "final-rate", parameter: "finalRate", of: ["cosine", "polynomial"] },
  power: { option: "power", parameter: "power", of: ["polynomial"] },
} as const;

/**
 * The schedule that option or document name, with its particulars. Those that the named one doesn't have are refused. Pure.
 * @throws RingstrasseError USAGE, DOCUMENT_INVALID
 */
export function settleSchedule(inputs: StepInputs): Setting<ScheduleWish> {
  const kind = settle<ScheduleKind>(givenSetting(inputs, { option: "schedule", parameter: "schedule" }), "constant");
  for (const { option, parameter, of } of Object.values(PARTICULARS)) {
    if (of.some((each) => each === kind.value)) continue;
    refuseUseless(inputs, {
      option,
      parameter,
      problem: `it means nothing to the learning-rate schedule ${kind.value}`,
      remedy: `Leave it out, or choose the schedule ${of.join(" or ")}`,
      isOverridden: inputs.options.schedule !== undefined,
    });
  }
  return { value: wishOf(kind.value, inputs), source: kind.source };
}

function wishOf(kind: ScheduleKind, inputs: StepInputs): ScheduleWish {
  const particular = <T>(name: keyof typeof PARTICULARS, fallback: T) =>
    settle<number | T>(givenSetting(inputs, PARTICULARS[name]), fallback).value;
  switch (kind) {
    case "constant":
      return { kind };
    case "step":
      return { kind, decay: particular("decay", DEFAULT_DECAY[kind]), every: particular("every", null) };
    case "exponential":
      return { kind, decay: particular("decay", DEFAULT_DECAY[kind]) };
    case "cosine":
      return { kind, final: particular("final", 0) };
    case "polynomial":
      return { kind, power: particular("power", 1), final: particular("final", 0) };
    default:
      return unreachable(kind);
  }
}

/** The schedule of a job of so many epochs. Pure. */
export function scheduleOf(wish: ScheduleWish, epochs: number): Schedule {
  if (wish.kind !== "step") return wish;
  return { ...wish, every: wish.every ?? Math.ceil(epochs / PARTS) };
}
