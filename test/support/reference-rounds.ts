import { arenaLayout } from "../../shared/arena-layout.js";
import { rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { createRowOrder } from "../../shared/data/row-order.js";
import { replicaSpan, stepSpan, stepsPerEpoch } from "../../shared/epoch-plan.js";
import { parametersOf } from "../../shared/model-spec.js";
import { writeInitialParameters } from "../../worker/engine/initial-parameters.js";
import { referenceGradients, referenceOptimizer, tensorsOf } from "./reference-mlp.js";
import { batchOf, copyOf, preparedRows, type ReferenceJob, type ReferenceOutcome } from "./reference-training.js";

export interface ReferenceRounds {
  readonly replicas: number;
  readonly syncEvery: number;
  readonly outer: { readonly learningRate: number; readonly momentum: number };
}

/**
 * Local SGD with an outer optimizer in float64, as it is published and with nothing of the product but what decides which numbers are computed
 * with: every replica trains a network of its own; then the common one moves by Nesterov's rule along the mean of (common − own), in which a
 * replica weighs as many rows as it has seen. `tensors` are the common ones: those of a round's end at its last step.
 */
export function trainReferenceRounds(job: ReferenceJob, rounds: ReferenceRounds): ReferenceOutcome {
  const { model, optimizer, seed, batchSize, epochs, rows } = job;
  const { replicas, syncEvery, outer } = rounds;
  const layout = arenaLayout(parametersOf(model));
  const arena = new Float32Array(layout.paddedLength);
  writeInitialParameters(layout, seed, arena);
  const common = tensorsOf(layout, arena);
  const velocity = common.map(({ length }) => new Float64Array(length));
  const own = Array.from({ length: replicas }, () => ({
    tensors: copyOf(common),
    update: referenceOptimizer(optimizer),
    seen: 0,
  }));
  const { standardised, mean, deviation } = preparedRows(rows);
  const rowCount = standardised.length;
  const tensors = [copyOf(common)];
  const losses: number[] = [];

  const meet = (): void => {
    const all = own.reduce((sum, { seen }) => sum + seen, 0);
    for (const [index, tensor] of common.entries()) {
      for (const [i, value] of tensor.entries()) {
        const difference =
          own.reduce((sum, { tensors: mine, seen }) => sum + seen * (value - (mine[index]?.[i] ?? Number.NaN)), 0) /
          all;
        const v = outer.momentum * (velocity[index]?.[i] ?? 0) + difference;
        velocity[index]?.set([v], i);
        tensor[i] = value - outer.learningRate * (difference + outer.momentum * v);
      }
    }
    for (const replica of own) {
      replica.seen = 0;
      replica.tensors = copyOf(common);
    }
  };

  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = createRowOrder({ seed, epoch, rowCount, rowSizeBytes: rowSizeBytes(rows) });
    const steps = stepsPerEpoch(rowCount, batchSize);
    for (let step = 1; step <= steps; step++) {
      const whole = stepSpan(rowCount, batchSize, step - 1);
      let loss = 0;
      for (const [index, replica] of own.entries()) {
        const { from, to } = replicaSpan(whole, index, replicas);
        if (to === from) continue;
        const chosen = Array.from({ length: to - from }, (_, at) => standardised[order.rowAt(from + at)]).filter(
          (row) => row !== undefined,
        );
        const { gradients, lossSum } = referenceGradients(model, replica.tensors, batchOf(model, chosen));
        replica.update(
          replica.tensors,
          gradients.map((gradient) => gradient.map((sum) => sum / (to - from))),
        );
        replica.seen += to - from;
        loss += lossSum;
      }
      losses.push(loss / (whole.to - whole.from));
      if (step % syncEvery === 0 || step === steps) meet();
      tensors.push(copyOf(common));
    }
  }
  return { layout, tensors, losses, mean, deviation };
}
