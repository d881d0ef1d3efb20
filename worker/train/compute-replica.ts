import type { MicroBatch, StepSums } from "../engine/engine.js";
import type { Arena } from "./arenas.js";
import { addSums, NO_SUMS } from "./step-scalars.js";
import type { StepId } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** One of this worker's replicas: its number in the job, and its place among the worker's arenas. */
export interface LocalReplica {
  readonly replica: number;
  readonly index: number;
}

/**
 * One replica's gradient sums of a step, in its arena. The slice is computed in K micro-batches, whose
 * gradients are added in their order, ((m₀ + m₁) + …); an empty one adds nothing, an empty slice gives zeros. K alone decides the bits.
 * Memory: what the engine needs for a K-th of the slice, and for K > 1 one more arena.
 */
export async function computeReplica(
  context: TrainingContext,
  id: StepId,
  { replica, index }: LocalReplica,
): Promise<StepSums> {
  const { arenas, spec, board, trace } = context;
  const gradients = arenas.gradients[index];
  if (gradients === undefined) throw new RangeError(`no arena for local replica ${index}`);
  let sums: StepSums | null = null;
  for (let accumulation = 0; accumulation < spec.stepRules.accumulate; accumulation++) {
    board.advance("compute");
    const batch = await context.batches.next({ ...id, replica, accumulation }, context.signal);
    trace?.rows(batch);
    if (batch === null) continue;
    const position = { ...id, replica, accumulation };
    if (sums === null) sums = await context.engine.computeGradients(batch, position, gradients.values);
    else sums = addSums(sums, await computeAnother(context, { batch, position }, gradients));
  }
  if (sums === null) gradients.values.fill(0);
  trace?.replica(replica, gradients.values);
  return sums ?? NO_SUMS;
}

interface Computation {
  readonly batch: MicroBatch;
  readonly position: StepId & { readonly replica: number; readonly accumulation: number };
}

/** Adds a further micro-batch's gradients to the replica's. */
async function computeAnother(
  { arenas, engine, kernels }: TrainingContext,
  { batch, position }: Computation,
  gradients: Arena,
): Promise<StepSums> {
  const { microBatch, layout } = arenas;
  if (microBatch === null) throw new RangeError("no arena for a second micro-batch");
  const sums = await engine.computeGradients(batch, position, microBatch.values);
  kernels.add(gradients.address, gradients.address, microBatch.address, layout.paddedLength);
  return sums;
}
