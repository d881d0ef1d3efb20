import { SCHEDULE_KINDS } from "../../shared/learning-rate/schedule.js";
import { parseWarmUp, WARM_UP_FORM } from "../../shared/learning-rate/warm-up.js";
import { isLossScale, LOSS_SCALE_FORM, PAYLOAD_FORMATS, PRECISIONS } from "../../shared/step-rules.js";
import { STRATEGIES } from "../../shared/strategy-choice.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { foldName } from "./element-rule.js";
import type { NamedValue } from "./named-values.js";
import type { TrainingParameters } from "./network-definition.js";
import type { XmlElement } from "./xml-element.js";

/** Parameters about steps that are words, or numbers with a word. */
export type StepWords = Pick<
  TrainingParameters,
  "precision" | "schedule" | "warmUp" | "compress" | "lossScale" | "strategy"
>;

/** @throws RingstrasseError DOCUMENT_UNSUPPORTED: an unknown precision, schedule, format or strategy; DOCUMENT_INVALID: no warm-up or loss scale */
export function readStepWords(found: ReadonlyMap<string, NamedValue>): StepWords {
  const read = <T>(name: keyof StepWords, reader: (element: XmlElement) => T): T | undefined => {
    const value = found.get(name);
    return value === undefined ? undefined : reader(value.element);
  };
  const precision = read("precision", (element) => oneOf(element, "precision", PRECISIONS));
  const schedule = read("schedule", (element) => oneOf(element, "schedule", SCHEDULE_KINDS));
  const warmUp = read("warmUp", readWarmUp);
  const compress = read("compress", (element) => oneOf(element, "format of the exchange", PAYLOAD_FORMATS));
  const lossScale = read("lossScale", readLossScale);
  const strategy = read("strategy", (element) => oneOf(element, "strategy", STRATEGIES));
  return {
    ...(precision === undefined ? {} : { precision }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(warmUp === undefined ? {} : { warmUp }),
    ...(compress === undefined ? {} : { compress }),
    ...(lossScale === undefined ? {} : { lossScale }),
    ...(strategy === undefined ? {} : { strategy }),
  };
}

function oneOf<Name extends string>(element: XmlElement, what: string, names: readonly Name[]): Name {
  const name = names.find((each) => foldName(each) === foldName(element.text));
  if (name !== undefined) return name;
  throw unsupportedAt(element.place, `unknown ${what} ${quote(element.text)}`, names);
}

function readWarmUp({ text, place }: XmlElement) {
  const warmUp = parseWarmUp(text);
  if (warmUp !== null) return warmUp;
  throw invalidAt(place, `the warm-up is ${quote(text)}`, `Give ${WARM_UP_FORM}`);
}

function readLossScale({ text, place }: XmlElement): number | "dynamic" {
  if (foldName(text) === "dynamic") return "dynamic";
  const scale = text === "" ? Number.NaN : Number(text);
  if (isLossScale(scale)) return scale;
  throw invalidAt(place, `the loss scale is ${quote(text)}`, `Give ${LOSS_SCALE_FORM}`);
}
