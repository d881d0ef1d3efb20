import type { OptionSource } from "../../shared/cli/option-table.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";
import type { ExecutionWishes } from "../vinnsl/network-definition.js";
import type { Setting } from "./setting.js";

/** How many workers a job may run on; the bits of its result are the same for each. */
export interface WorkerRange {
  readonly min: number;
  readonly max: number;
}

export interface WorkerSettings {
  /** N of a run whose number of workers is fixed at its start. */
  readonly workers: Setting<number>;
  /** R. */
  readonly replicas: Setting<number>;
  /** 1 ≤ min ≤ workers ≤ max ≤ R. */
  readonly workerRange: WorkerRange;
}

export interface WorkerInputs {
  readonly execution: ExecutionWishes;
  readonly options: TrainOptions;
  readonly sources: Partial<Record<TrainOptionName, OptionSource>>;
  /** The document, for messages; null when it came from elsewhere. */
  readonly file: string | null;
}

type CountName = "workers" | "replicas" | "minWorkers" | "maxWorkers";
const OPTIONS = {
  workers: "workers",
  replicas: "replicas",
  minWorkers: "min-workers",
  maxWorkers: "max-workers",
} as const satisfies Record<CountName, TrainOptionName>;

/** A number that somebody gave, and how a message names it. */
interface Given extends Setting<number> {
  readonly name: CountName;
}

/**
 * Workers and replicas from options and document. `workers` alone means exactly so many; R is `replicas`, else `maxWorkers`, else
 * `workers`, else 1. `--workers` takes the place of all that the document says about workers, except that its `maxWorkers` still sets
 * R, so that the bits stay the document's. Pure.
 * @throws RingstrasseError USAGE or DOCUMENT_INVALID for numbers that contradict each other, naming the option or element
 */
export function settleWorkers(inputs: WorkerInputs): WorkerSettings {
  const given = (name: CountName) => givenCount(inputs, name);
  const replicasGiven = given("replicas");
  const all = { workers: given("workers"), min: given("minWorkers"), max: given("maxWorkers") };
  const { workers } = all;
  const isOption = workers !== null && workers.source !== "document";
  const meant = (count: Given | null) => (isOption && count?.source === "document" ? null : count);
  const [min, max] = [meant(all.min), meant(all.max)];
  checkOrder(inputs, [min, workers, max]);
  const highest = max ?? workers ?? (min === null ? null : (replicasGiven ?? min));
  const chosen = workers ?? highest;
  const replicas = replicasGiven ?? max ?? (workers === null || all.max === null ? highest : wider(workers, all.max));
  for (const count of [workers, max, min]) checkOrder(inputs, [count, replicas]);
  return {
    workers: chosen === null ? { value: 1, source: "default" } : plain(chosen),
    replicas: replicas === null ? { value: 1, source: "default" } : replicasSetting(replicas),
    workerRange: { min: min?.value ?? workers?.value ?? 1, max: highest?.value ?? 1 },
  };
}

function givenCount({ execution, options, sources }: WorkerInputs, name: CountName): Given | null {
  const option = OPTIONS[name];
  const flag = options[option];
  if (flag !== undefined) return { name, value: flag, source: sources[option] ?? "flag" };
  const document = execution[name];
  return document === undefined ? null : { name, value: document, source: "document" };
}

function wider(left: Given, right: Given): Given {
  return right.value > left.value ? right : left;
}

function plain({ value, source }: Given): Setting<number> {
  return { value, source };
}

/** R that nobody gave follows from the workers. */
function replicasSetting(given: Given): Setting<number> {
  return given.name === "replicas" ? plain(given) : { value: given.value, source: "default" };
}

/** Each number that is there must not be larger than the next. */
function checkOrder(inputs: WorkerInputs, counts: readonly (Given | null)[]): void {
  const present = counts.filter((count) => count !== null);
  for (const [index, upper] of present.entries()) {
    const lower = present[index - 1];
    if (lower !== undefined && lower.value > upper.value) throw contradiction(inputs, lower, upper);
  }
}

function contradiction({ execution, file }: WorkerInputs, lower: Given, upper: Given): RingstrasseError {
  const ofDocument = lower.source === "document";
  const nameOf = ({ name, source }: Given) => (source === "document" ? name : `--${OPTIONS[name]}`);
  const [low, high] = [nameOf(lower), nameOf(upper)];
  const tooMany = upper.name === "replicas";
  const problem = tooMany
    ? `${lower.value} workers are more than the job's ${upper.value} replicas: some would have nothing to do`
    : `${low} is ${lower.value}, more than the ${upper.value} of ${high}`;
  const caution = tooMany ? " (another number of replicas gives other bits)" : "";
  const isOfDocument = ofDocument && upper.source === "document";
  // Options can settle it even where the document has the other number.
  const [less, more] = isOfDocument ? [low, high] : [lower, upper].map(({ name }) => `--${OPTIONS[name]}`);
  const remedy = `Give ${less} ${upper.value} or less, or ${more} ${lower.value} or more${caution}`;
  const elementPath = execution.paths[lower.name] ?? execution.paths[upper.name] ?? null;
  if (isOfDocument) {
    const place = { file, line: null, column: null, elementPath };
    return new RingstrasseError({ code: "DOCUMENT_INVALID", ...place, problem, remedy });
  }
  const named = ofDocument ? upper : lower;
  return new RingstrasseError({ code: "USAGE", option: `--${OPTIONS[named.name]}`, problem, remedy });
}
