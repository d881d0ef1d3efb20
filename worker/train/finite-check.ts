import { slotAt } from "../../shared/arena-layout.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobSpec } from "../../shared/job-spec.js";
import { learningRateOf } from "../../shared/learning-rate/learning-rate.js";
import type { StepSums } from "../engine/engine.js";
import type { Arena } from "./arenas.js";
import { ratePlan } from "./rate-plan.js";
import type { Means } from "./step-scalars.js";
import type { StepId } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** @throws RingstrasseError NOT_FINITE when a step's loss is NaN or infinite; the step is not committed then. */
export function assertFiniteLoss(context: TrainingContext, id: StepId, totals: StepSums, sums: Arena): void {
  if (Number.isFinite(totals.lossSum)) return;
  const tensor = firstNotFinite(context, sums);
  const where = tensor === null ? "the loss" : `the loss (first tensor: gradient of ${tensor.name})`;
  throw notFinite(context, id, where, totals.lossSum / totals.count);
}

/** Whether an arena of parameters has finite running statistics: what optimizers don't see. O(statistics). */
export function statisticsAreFinite({ arenas, kernels }: TrainingContext, { address }: Arena): boolean {
  const { trainableLength, paddedLength } = arenas.layout;
  const statistics = address + trainableLength * Float32Array.BYTES_PER_ELEMENT;
  return kernels.firstNotFinite(statistics, paddedLength - trainableLength) < 0;
}

/**
 * Finds out what an update that isn't finite began with. A sum that is not finite never leaves its parameter or statistic finite, so the
 * sums are looked at only now, and not in every step.
 * @throws RingstrasseError NOT_FINITE when a gradient is NaN or infinite, or made a parameter so; the step is not committed then
 */
export function assertFiniteUpdate(context: TrainingContext, id: StepId, sums: Arena): void {
  const parameter = firstNotFinite(context, context.arenas.parameters[context.gate.shadow]);
  if (parameter === null) return;
  const gradient = firstNotFinite(context, sums);
  if (gradient !== null) throw notFinite(context, id, `the gradient of ${gradient.name}`, gradient.value);
  throw notFinite(context, id, `the updated ${parameter.name}`, parameter.value);
}

/** Before they are pushed, where they would spoil everybody's parameters. @throws RingstrasseError NOT_FINITE */
export function assertFiniteGradients(context: TrainingContext, id: StepId, sums: Arena): void {
  const gradient = firstNotFinite(context, sums);
  if (gradient !== null) throw notFinite(context, id, `the gradient of ${gradient.name}`, gradient.value);
}

/** Of parameters that were pulled; the step is not committed then. @throws RingstrasseError NOT_FINITE */
export function assertFiniteParameters(context: TrainingContext, id: StepId, parameters: Arena): void {
  const parameter = firstNotFinite(context, parameters);
  if (parameter !== null) throw notFinite(context, id, `the updated ${parameter.name}`, parameter.value);
}

/** @throws RingstrasseError NOT_FINITE for sums that are not finite, or have become so in fp16, at a loss scale that can't be made smaller. */
export function assertFittingSums(context: TrainingContext, id: StepId, sums: Arena): void {
  const gradient = firstNotFinite(context, sums);
  if (gradient === null) return;
  const { spec, lossScaler } = context;
  const tensor = `the gradient of ${gradient.name}, in fp16 with the loss scale ${lossScaler?.scale},`;
  const remedy = "Use --compress bf16, whose range is float32's, or a smaller --loss-scale; or lower the learning rate";
  throw failure(spec, id, { tensor, value: gradient.value, remedy });
}

/** @throws RingstrasseError NOT_FINITE when the loss over the test rows is: the parameters are finite, but not what they compute. */
export function assertFiniteTest(context: TrainingContext, id: StepId, means: Means | null): void {
  if (means !== null && !Number.isFinite(means.loss))
    throw notFinite(context, id, "the loss of the test rows", means.loss);
}

/** The first element of an arena that is NaN or infinite, by its tensor; null: there is none. O(length). */
export function firstNotFinite(context: TrainingContext, arena: Arena): { name: string; value: number } | null {
  const { layout } = context.arenas;
  const index = context.kernels.firstNotFinite(arena.address, layout.paddedLength);
  if (index < 0) return null;
  return { name: slotAt(layout, index)?.name ?? `padding at ${index}`, value: arena.values[index] ?? Number.NaN };
}

/** The failure, with the learning rate of the step and what to do about it. */
export function notFinite(context: TrainingContext, id: StepId, tensor: string, value: number): RingstrasseError {
  const { spec } = context;
  const remedy = `Lower the learning rate (try ${spec.optimizer.learningRate / 10}) or check the scale of features and targets`;
  return failure(spec, id, { tensor, value, remedy });
}

interface NotFinite {
  readonly tensor: string;
  readonly value: number;
  readonly remedy: string;
}

function failure(spec: JobSpec, { epoch, step }: StepId, { tensor, value, remedy }: NotFinite): RingstrasseError {
  const learningRate = learningRateOf(ratePlan(spec), step);
  return new RingstrasseError({
    code: "NOT_FINITE",
    epoch,
    step,
    tensor,
    value: String(value),
    learningRate,
    remedy,
  });
}
