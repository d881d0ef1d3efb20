import { stepsPerEpoch } from "../../shared/epoch-plan.js";
import { warmUpSteps } from "../../shared/learning-rate/warm-up.js";
import type { OptimizerSpec } from "../../shared/model-spec.js";
import { LOSS_SCALES, type Payload, type StepRules } from "../../shared/step-rules.js";
import { scheduleOf } from "./settle-schedule.js";
import type { StepSettings } from "./step-settings.js";

/** The extent of a job, as the rules of its steps need it. */
export interface JobExtent {
  readonly epochs: number;
  /** Of training. */
  readonly rowCount: number;
  /** B */
  readonly batchSize: number;
}

/** The rules of a job's steps, now that its data is known. Pure. */
export function stepRulesOf(settings: StepSettings, { epochs, rowCount, batchSize }: JobExtent): StepRules {
  const warmUp = settings.warmUp.value;
  return {
    accumulate: settings.accumulate.value,
    clipNorm: settings.clipNorm.value,
    precision: settings.precision.value,
    schedule: scheduleOf(settings.schedule.value, epochs),
    warmUpSteps: warmUp === null ? 0 : warmUpSteps(warmUp, stepsPerEpoch(rowCount, batchSize)),
    payload: payloadOf(settings, batchSize),
    rounds: roundsOf(settings),
    mostStepsAhead: settings.strategy.value === "async" ? settings.maxStaleness.value : null,
  };
}

/** Rows that one update is computed from: those of a step; with local-sgd those of a replica's slice, which needn't be whole. Pure. */
export function rowsOfUpdate({ strategy }: StepSettings, batchSize: number, replicas: number): number {
  return strategy.value === "local-sgd" ? batchSize / replicas : batchSize;
}

/**
 * Linear scaling (Goyal et al., "Accurate, large minibatch SGD", 2017): the learning rate times rows / reference batch. The rows are those of an update
 * of a full step, so the number of workers never enters. Pure.
 */
export function scaledOptimizer(optimizer: OptimizerSpec, settings: StepSettings, rows: number): OptimizerSpec {
  const reference = settings.referenceBatch.value;
  if (reference === null) return optimizer;
  return { ...optimizer, learningRate: (optimizer.learningRate * rows) / reference };
}

function roundsOf({ strategy, syncEvery, outerLearningRate, outerMomentum }: StepSettings): StepRules["rounds"] {
  if (strategy.value !== "local-sgd") return null;
  const outer = { learningRate: outerLearningRate.value, momentum: outerMomentum.value };
  return { syncEvery: syncEvery.value, outer };
}

/** A dynamic scale starts as if means, not sums over B rows, were sent. */
function payloadOf({ compress, lossScale, topkFraction }: StepSettings, batchSize: number): Payload {
  if (compress.value === "topk") return { format: compress.value, fraction: topkFraction.value };
  if (compress.value !== "fp16") return { format: compress.value };
  if (lossScale.value !== "dynamic") return { format: "fp16", lossScale: { kind: "static", scale: lossScale.value } };
  let first: number = LOSS_SCALES.first;
  for (let rows = 1; rows < batchSize && first > LOSS_SCALES.smallest; rows *= 2) first /= 2;
  return { format: "fp16", lossScale: { kind: "dynamic", first } };
}
