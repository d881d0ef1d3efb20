import type { StepSums } from "../engine/engine.js";
import { updateStatistics } from "../optimizer/update-statistics.js";
import type { Arena } from "./arenas.js";
import { assertFiniteLoss, assertFiniteUpdate, statisticsAreFinite } from "./finite-check.js";
import { NO_SUMS, readScalars, writeScalars } from "./step-scalars.js";
import type { TrainingContext } from "./training-context.js";

/** Names one step. Both counts start at 1; `step` counts updates since the start of the job. */
export interface StepId {
  readonly epoch: number;
  readonly step: number;
}

export interface StepOutcome {
  /** Over all rows of the step and all replicas. */
  readonly totals: StepSums;
  /** Rows of this worker's replicas. */
  readonly localRows: number;
  readonly elapsedMs: number;
  /** Time in which this worker waited for the exchange. */
  readonly communicationMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/**
 * One optimizer step: every local replica computes the gradient sums of its slice, the sums of all replicas are folded over the
 * group, divided by the rows of the step, and the update is committed. All workers do the same update on the same bits.
 */
export async function trainStep(context: TrainingContext, id: StepId): Promise<StepOutcome> {
  const { arenas, gate, board } = context;
  const startedAt = performance.now();
  let localRows = 0;
  board.position(id.epoch, id.step);
  gate.begin(id.step, context.generation);

  context.engine.loadParameters(arenas.parameters[gate.current].values);
  for (const [index, replica] of context.localReplicas.entries()) {
    board.advance("compute");
    const sums = await computeReplica(context, id, index, replica);
    localRows += sums.count;
  }

  board.advance("exchange");
  const exchangedAt = performance.now();
  const exchange = { sequence: context.nextSequence(), withArena: true };
  const report = await context.collective.allReduce(exchange, context.signal);
  const communicationMs = performance.now() - exchangedAt;
  gate.arrived(id.step, context.generation);

  board.advance("compute");
  const set = exchange.sequence % 2 === 0 ? 0 : 1;
  const totals = readScalars(arenas.scalarSums[set]);
  const sums = arenas.sums[set];
  assertFiniteLoss(context, id, totals, sums);
  const allFinite = updateParameters(context, id, totals.count, sums);
  if (!allFinite) assertFiniteUpdate(context, id, sums);
  gate.commit(id);
  const { sentBytes, receivedBytes } = report;
  return { totals, localRows, elapsedMs: performance.now() - startedAt, communicationMs, sentBytes, receivedBytes };
}

async function computeReplica(context: TrainingContext, id: StepId, index: number, replica: number): Promise<StepSums> {
  const { arenas } = context;
  const gradients = arenas.gradients[index];
  const scalars = arenas.scalars[index];
  if (gradients === undefined || scalars === undefined) throw new RangeError(`no arena for local replica ${index}`);
  const batch = await context.batches.next({ ...id, replica }, context.signal);
  let sums = NO_SUMS;
  if (batch === null) gradients.values.fill(0);
  else sums = await context.engine.computeGradients(batch, { ...id, replica }, gradients.values);
  writeScalars(scalars, sums);
  context.trace?.replica(replica, batch, gradients.values);
  return sums;
}

/** @returns whether everything that was written is finite: parameters and running statistics */
function updateParameters(context: TrainingContext, id: StepId, count: number, sums: Arena): boolean {
  const { arenas, gate } = context;
  const { layout } = arenas;
  const copies = (which: 0 | 1) => ({
    parameters: arenas.parameters[which].address,
    state: arenas.state.map((pair) => pair[which].address),
  });
  const length = layout.trainableLength;
  const [current, next] = [copies(gate.current), copies(gate.shadow)];
  const allFinite = context.optimizer.update({
    step: id.step,
    current,
    next,
    sums: sums.address,
    count,
    from: 0,
    length,
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
