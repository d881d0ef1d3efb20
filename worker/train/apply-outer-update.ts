import type { StepTotals } from "./apply-update.js";
import { firstNotFinite, notFinite, statisticsAreFinite } from "./finite-check.js";
import type { StepId } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/**
 * Moves the common parameters by the mean of the replicas' differences, and commits that. The mean stands for a gradient: the outer optimizer
 * is gradient descent with Nesterov's momentum (DiLoCo: Douillard et al., "Distributed low-communication training of language models",
 * 2023; without momentum and at rate 1 it is local SGD: Stich, ICLR 2019). Running statistics take the mean itself.
 * @param totals summed differences times rows, and all rows of the round
 * @throws RingstrasseError NOT_FINITE; nothing is committed then
 */
export function applyOuterUpdate(context: TrainingContext, id: StepId, { sums, count }: StepTotals): void {
  const { arenas, gate, kernels, spec, optimizer } = context;
  const { rounds } = spec.stepRules;
  if (rounds === null) throw new RangeError("the job has no rounds");
  const { trainableLength, paddedLength } = arenas.layout;
  const copies = (which: 0 | 1) => ({
    parameters: arenas.parameters[which].address,
    state: arenas.state.map((pair) => pair[which].address),
  });
  const [current, next] = [copies(gate.current), copies(gate.shadow)];
  const { learningRate } = rounds.outer;
  const areFinite = optimizer.update({
    ...{ step: id.step, current, next, sums: sums.address, divisor: count, learningRate },
    ...{ from: 0, length: trainableLength },
  });
  const statistics = trainableLength * Float32Array.BYTES_PER_ELEMENT;
  kernels.sgd(
    next.parameters + statistics,
    current.parameters + statistics,
    sums.address + statistics,
    paddedLength - trainableLength,
    count,
    1,
  );
  gate.wrote(0, paddedLength);
  const shadow = arenas.parameters[gate.shadow];
  if (!areFinite || !statisticsAreFinite(context, shadow)) {
    const bad = firstNotFinite(context, shadow);
    if (bad !== null) throw notFinite(context, id, `the common ${bad.name} after the round`, bad.value);
  }
  gate.commit(id);
}
