import { replicaSpan } from "../../shared/epoch-plan.js";
import { addSums, type Means, meansOf, NO_SUMS, readScalars, writeScalars } from "./step-scalars.js";
import type { TrainingContext } from "./training-context.js";

/**
 * Loss and metrics over all test rows, with the committed parameters. The rows are cut into one contiguous slice per replica, so the
 * figures have the same bits on any number of workers. Null when nothing was held out.
 */
export async function evaluateTestRows(context: TrainingContext): Promise<Means | null> {
  const { spec, arenas, gate, board } = context;
  const test = spec.dataset.test;
  if (test === null || test.rowCount === 0) return null;
  context.engine.loadParameters(arenas.parameters[gate.current].values);
  for (const [index, replica] of context.localReplicas.entries()) {
    let sums = NO_SUMS;
    const span = replicaSpan({ from: 0, to: test.rowCount }, replica, spec.replicas);
    for await (const batch of context.batches.testRows(span, context.signal)) {
      board.advance("evaluate");
      sums = addSums(sums, await context.engine.evaluate(batch));
    }
    const scalars = arenas.scalars[index];
    if (scalars === undefined) throw new RangeError(`no scalar block for local replica ${index}`);
    writeScalars(scalars, sums);
  }
  board.advance("exchange");
  const exchange = { sequence: context.nextSequence(), withArena: false };
  await context.collective.allReduce(exchange, context.signal);
  board.advance("evaluate");
  return meansOf(readScalars(context.totals.scalarSums[exchange.sequence % 2 === 0 ? 0 : 1]), spec.model.targets.kind);
}
