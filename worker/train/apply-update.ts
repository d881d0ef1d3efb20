import { learningRateOf } from "../../shared/learning-rate/learning-rate.js";
import { clippedDivisor, gradientNorm } from "../optimizer/gradient-norm.js";
import { updateStatistics } from "../optimizer/update-statistics.js";
import type { Arena } from "./arenas.js";
import { assertFiniteUpdate, assertFittingSums, statisticsAreFinite } from "./finite-check.js";
import { ratePlan } from "./rate-plan.js";
import type { StepId } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** What a step's update was done with; the same on all workers. */
export interface UpdateFigures {
  readonly learningRate: number;
  /** Length of the mean gradient before clipping; absent: not measured, since nothing clips. */
  readonly gradientNorm?: number;
  /** That its sums were exchanged with; absent: nothing scales. */
  readonly lossScale?: number;
  /** Its sums did not fit into fp16: nothing was changed. */
  readonly skipped?: true;
}

/** The folded sums of a step, and the rows they were summed over. */
export interface StepTotals {
  readonly sums: Arena;
  readonly count: number;
}

/** Those of gradients and of moments. */
export interface GradientTotals extends StepTotals {
  /** What the sums of gradients are divided by: see `stepWeight`. */
  readonly gradientRows: number;
}

/**
 * Applies a step's sums and commits it: the mean gradient, clipped if it is too long, moves the parameters at the step's learning rate.
 * Sums that have not fitted into fp16 are left out, as long as a smaller scale may help.
 * @throws RingstrasseError NOT_FINITE; nothing is committed then
 */
export function applyUpdate(context: TrainingContext, id: StepId, totals: GradientTotals): UpdateFigures {
  const { sums, count, gradientRows } = totals;
  const { gate, kernels, spec, arenas, lossScaler } = context;
  const learningRate = learningRateOf(ratePlan(spec), id.step);
  const scale = lossScaler === null ? {} : { lossScale: lossScaler.scale };
  const { trainableLength } = arenas.layout;
  if (lossScaler !== null && kernels.firstNotFinite(sums.address, trainableLength) >= 0) {
    if (!lossScaler.overflowed()) assertFittingSums(context, id, sums);
    gate.leaveOut(id);
    return { learningRate, ...scale, skipped: true };
  }
  lossScaler?.fitted();
  const { clipNorm } = spec.stepRules;
  const length = { address: sums.address, length: trainableLength, count: gradientRows };
  const norm = clipNorm === null ? null : gradientNorm(kernels, length);
  const divisor = norm === null || clipNorm === null ? gradientRows : clippedDivisor(gradientRows, norm, clipNorm);
  const allFinite = writeShadow(context, id, { sums, count, divisor, learningRate });
  if (!allFinite) assertFiniteUpdate(context, id, sums);
  gate.commit(id);
  return { learningRate, ...(norm === null ? {} : { gradientNorm: norm }), ...scale };
}

interface Update extends StepTotals {
  readonly divisor: number;
  readonly learningRate: number;
}

/** @returns whether everything that was written is finite: parameters and running statistics */
function writeShadow(context: TrainingContext, id: StepId, { sums, count, divisor, learningRate }: Update): boolean {
  const { arenas, gate, lossScaler } = context;
  const { layout } = arenas;
  const copies = (which: 0 | 1) => ({
    parameters: arenas.parameters[which].address,
    state: arenas.state.map((pair) => pair[which].address),
  });
  const allFinite = context.optimizer.update({
    // Steps that were left out are no updates: moments have not seen them.
    step: id.step - (lossScaler?.skipped ?? 0),
    current: copies(gate.current),
    next: copies(gate.shadow),
    sums: sums.address,
    divisor,
    learningRate,
    from: 0,
    length: layout.trainableLength,
  });
  updateStatistics({
    statistics: layout.statistics,
    current: arenas.parameters[gate.current].values,
    next: arenas.parameters[gate.shadow].values,
    sums: sums.values,
    count,
  });
  gate.wrote(0, layout.paddedLength);
  return allFinite && statisticsAreFinite(context, arenas.parameters[gate.shadow]);
}
