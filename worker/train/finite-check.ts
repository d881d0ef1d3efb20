import { slotAt } from "../../shared/arena-layout.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { StepSums } from "../engine/engine.js";
import type { Arena } from "./arenas.js";
import type { Means } from "./step-scalars.js";
import type { StepId } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** @throws RingstrasseError NOT_FINITE when a step's loss or gradient is NaN or infinite; the step is not committed then. */
export function assertFiniteSums(context: TrainingContext, id: StepId, totals: StepSums, sums: Arena): void {
  const tensor = firstBadTensor(context, sums);
  if (!Number.isFinite(totals.lossSum)) {
    const where = tensor === null ? "the loss" : `the loss (first tensor: gradient of ${tensor.name})`;
    throw notFinite(context, id, where, totals.lossSum / totals.count);
  }
  if (tensor !== null) throw notFinite(context, id, `the gradient of ${tensor.name}`, tensor.value);
}

/** @throws RingstrasseError NOT_FINITE when the update made a parameter NaN or infinite. */
export function assertFiniteParameters(context: TrainingContext, id: StepId): void {
  const tensor = firstBadTensor(context, context.arenas.parameters[context.gate.shadow]);
  if (tensor !== null) throw notFinite(context, id, `the updated ${tensor.name}`, tensor.value);
}

/** @throws RingstrasseError NOT_FINITE when the loss over the test rows is: the parameters are finite, but not what they compute. */
export function assertFiniteTest(context: TrainingContext, id: StepId, means: Means | null): void {
  if (means !== null && !Number.isFinite(means.loss))
    throw notFinite(context, id, "the loss of the test rows", means.loss);
}

function firstBadTensor(context: TrainingContext, arena: Arena): { name: string; value: number } | null {
  const { layout } = context.arenas;
  const index = context.kernels.firstNotFinite(arena.address, layout.paddedLength);
  if (index < 0) return null;
  return { name: slotAt(layout, index)?.name ?? `padding at ${index}`, value: arena.values[index] ?? Number.NaN };
}

function notFinite(context: TrainingContext, id: StepId, tensor: string, value: number): RingstrasseError {
  const { learningRate } = context.spec.optimizer;
  return new RingstrasseError({
    code: "NOT_FINITE",
    ...id,
    tensor,
    value: String(value),
    learningRate,
    remedy: `Lower the learning rate (try ${learningRate / 10}) or check the scale of features and targets`,
  });
}
