import type { PlannedJobSpec } from "../../shared/job-spec.js";
import { type ResumableJob, ResumableJobSchema } from "./checkpoint-format.js";

/** What only the run knows of its data. */
export interface ResumableData {
  readonly datasetSha256: string;
  readonly testSplit: number;
  readonly labelIndex: number | null;
}

/** What of a job must stay as it is wherever it goes on. Pure. */
export function resumableJob(spec: PlannedJobSpec, data: ResumableData): ResumableJob {
  const { datasetSha256, testSplit, labelIndex } = data;
  const { replicas, seed, batchSize, epochs, model, optimizer, stepRules, dataset } = spec;
  const { lossThreshold, evaluateEvery, blockHashes } = spec;
  // Through JSON, as checkpoints go: absent and undefined are one there.
  const plain: unknown = JSON.parse(
    JSON.stringify({
      ...{ datasetSha256, trainRows: dataset.train.rowCount, testRows: dataset.test?.rowCount ?? 0 },
      ...{ testSplit, labelIndex, replicas, seed, batchSize, epochs, model, optimizer, stepRules },
      ...{ lossThreshold, evaluateEvery, blockHashes },
    }),
  );
  return ResumableJobSchema.parse(plain);
}

/** The first thing in which two jobs differ. */
export interface JobDifference {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  readonly remedy: string;
}

interface Fact {
  readonly name: string;
  /** That brings it back; null: the document or the data do. */
  readonly option: string | null;
}

/** In the order in which they are told: a cause before what follows from it. */
const FACTS: Readonly<Record<keyof ResumableJob, Fact>> = {
  datasetSha256: { name: "the SHA-256 of the data", option: null },
  labelIndex: { name: "the label's column", option: null },
  testSplit: { name: "the test split", option: "--test-split" },
  trainRows: { name: "the number of training rows", option: null },
  testRows: { name: "the number of test rows", option: null },
  replicas: { name: "the number of replicas", option: "--replicas" },
  seed: { name: "the seed", option: "--seed" },
  batchSize: { name: "the batch size", option: "--batch-size" },
  epochs: { name: "the number of epochs", option: "--epochs" },
  model: { name: "the network", option: null },
  optimizer: { name: "the optimizer", option: null },
  stepRules: { name: "the rules of its steps", option: null },
  lossThreshold: { name: "the loss threshold", option: null },
  evaluateEvery: { name: "how often it is tested", option: "--evaluate-every" },
  blockHashes: { name: "how often hashes are kept", option: "--block-hashes" },
};

/** Null: none. Pure. @param stored of a checkpoint @param now of the run that is to go on from it */
export function differenceOf(stored: ResumableJob, now: ResumableJob): JobDifference | null {
  for (const key of Object.keys(FACTS) as (keyof ResumableJob)[]) {
    const difference = firstDifference(stored[key], now[key], "");
    if (difference === null) continue;
    const { name, option } = FACTS[key];
    const { path, before, after } = difference;
    const given = `Give the document, the data and the options of the run that wrote the checkpoint`;
    const remedy = option === null ? given : `Give ${option} ${before}, as the run that wrote the checkpoint had it`;
    return { what: path === "" ? name : `${name} (${path})`, expected: before, got: after, remedy };
  }
  return null;
}

interface Difference {
  /** e.g. `layers[1].units` */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** Of two values of JSON, depth first. */
function firstDifference(before: unknown, after: unknown, path: string): Difference | null {
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    const isList = Array.isArray(before);
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const below = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      const difference = firstDifference(before[key], after[key], below);
      if (difference !== null) return difference;
    }
    return null;
  }
  return Object.is(before, after) ? null : { path, before: show(before), after: show(after) };
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  if (value === undefined) return "absent";
  return typeof value === "string" ? value : JSON.stringify(value);
}
