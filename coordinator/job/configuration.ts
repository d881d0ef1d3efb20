import { layoutOf } from "../../shared/arena-layout.js";
import { describeLayer } from "../../shared/describe-layer.js";
import type { PlannedJobSpec } from "../../shared/job-spec.js";
import { OPTIMIZER_STATE } from "../../shared/optimizer-state.js";
import { stepsOfRound } from "../../shared/round-rules.js";
import type { CheckpointDescription } from "../checkpoint/checkpoint-format.js";
import type { CheckpointSettings } from "../checkpoint/checkpoint-settings.js";
import type { RunResult } from "../output/write-result.js";
import type { JobSettings } from "./job-settings.js";
import { rowsOfUpdate } from "./step-rules-of.js";

/** Everything that decides what a run computes and how, with its source: printed at the start and stored with the result. */
export type Configuration = RunResult["configuration"];

export interface RunPlace {
  readonly document: string;
  readonly data: string;
  readonly testData: string | null;
  readonly out: string;
  /** N. */
  readonly workers: number;
  readonly collective: string;
  readonly transport: string;
  /** Whether what workers send each other over tcp is encrypted. */
  readonly encrypt: boolean;
  /** Of the collective `mpi`. */
  readonly mpiMode?: string;
  /** Why the engine is the one that it is; null: not settled yet. */
  readonly engineReason: string | null;
  readonly checkpoints: CheckpointSettings;
  /** The checkpoint that the run goes on from; null: it begins at its beginning. */
  readonly resumed: ResumedFrom | null;
}

/** A checkpoint, with its file as others are told of it. */
type ResumedFrom = Pick<CheckpointDescription, "position" | "stateSha256"> & { readonly file: string | null };

export function effectiveConfiguration(spec: PlannedJobSpec, settings: JobSettings, run: RunPlace): Configuration {
  const { checkpoints, resumed, ...place } = run;
  const from = (setting: { source: string }) => setting.source;
  return {
    ...place,
    engine: spec.engine,
    replicas: spec.replicas,
    threads: spec.threads,
    epochs: spec.epochs,
    batchSize: spec.batchSize,
    seed: spec.seed,
    testSplit: testSplitOf(spec, settings, run.testData),
    labelIndex: settings.labelIndex.value,
    lossThreshold: spec.lossThreshold,
    optimizer: spec.optimizer,
    ...stepConfiguration(spec, settings),
    ...roundConfiguration(spec, settings),
    loss: spec.model.loss,
    layers: spec.model.layers.map(describeLayer),
    inputs: spec.model.inputs,
    evaluateEvery: spec.evaluateEvery,
    blockHashes: spec.blockHashes,
    checkpoints: { ...checkpoints.plan, keep: checkpoints.keep },
    resumedFrom: resumed === null ? null : resumedFrom(resumed),
    sources: {
      engine: from(settings.engine),
      threads: from(settings.threads),
      workers: from(settings.workers),
      replicas: from(settings.replicas),
      epochs: from(settings.epochs),
      batchSize: from(settings.batchSize),
      seed: from(settings.seed),
      testSplit: from(settings.testSplit),
      accumulate: from(settings.step.accumulate),
      clipNorm: from(settings.step.clipNorm),
      precision: from(settings.step.precision),
      schedule: from(settings.step.schedule),
      warmUp: from(settings.step.warmUp),
      learningRateScaling: from(settings.step.referenceBatch),
      compress: from(settings.step.compress),
      lossScale: from(settings.step.lossScale),
      topkFraction: from(settings.step.topkFraction),
      strategy: from(settings.step.strategy),
      maxStaleness: from(settings.step.maxStaleness),
      syncEvery: from(settings.step.syncEvery),
      outerLearningRate: from(settings.step.outerLearningRate),
      outerMomentum: from(settings.step.outerMomentum),
    },
  };
}

/** What was really held out of the training data. */
export function testSplitOf(
  { dataset }: Pick<PlannedJobSpec, "dataset">,
  { testSplit }: Pick<JobSettings, "testSplit">,
  testData: string | null,
): number {
  return dataset.test === null || testData !== null ? 0 : testSplit.value;
}

function resumedFrom({ file, position, stateSha256 }: ResumedFrom): Configuration[string] {
  return { file, epoch: position.epoch, step: position.step, stateSha256 };
}

/** How steps are cut, exchanged and applied. */
function stepConfiguration(
  { stepRules, batchSize, replicas }: PlannedJobSpec,
  { optimizer, step }: JobSettings,
): Configuration {
  const { accumulate, clipNorm, precision, schedule, warmUpSteps, payload } = stepRules;
  const reference = step.referenceBatch.value;
  const scaling = {
    learningRate: optimizer.learningRate,
    referenceBatch: reference,
    batchSize: rowsOfUpdate(step, batchSize, replicas),
  };
  return {
    accumulate,
    clipNorm,
    precision,
    schedule,
    warmUpSteps,
    learningRateScaling: reference === null ? null : scaling,
    compress: payload.format,
    lossScale: payload.format === "fp16" ? payload.lossScale : null,
    topkFraction: payload.format === "topk" ? payload.fraction : null,
  };
}

/** How replicas come to common parameters. */
function roundConfiguration(spec: PlannedJobSpec, { step }: JobSettings): Configuration {
  const { rounds } = spec.stepRules;
  const { mostStepsAhead } = spec.stepRules;
  if (mostStepsAhead !== null) return { strategy: step.strategy.value, maxStaleness: mostStepsAhead };
  if (rounds === null) return { strategy: step.strategy.value };
  const { syncEvery, outer } = rounds;
  const copies = 1 + OPTIMIZER_STATE[spec.optimizer.kind].length;
  return {
    strategy: step.strategy.value,
    syncEvery,
    stepsOfRound: stepsOfRound(rounds, spec.dataset.train.rowCount, spec.batchSize),
    outerLearningRate: outer.learningRate,
    outerMomentum: outer.momentum,
    copySizeBytes: copies * layoutOf(spec.model).paddedLength * Float32Array.BYTES_PER_ELEMENT,
  };
}
