import type { StepSums } from "../engine/engine.js";
import { assertFiniteParameters, assertFiniteSums } from "./finite-check.js";
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
  assertFiniteSums(context, id, totals, arenas.sums[set]);
  updateParameters(context, id, totals.count, arenas.sums[set].address);
  assertFiniteParameters(context, id);
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

function updateParameters(context: TrainingContext, id: StepId, count: number, sums: number): void {
  const { arenas, gate } = context;
  const copies = (which: 0 | 1) => ({
    parameters: arenas.parameters[which].address,
    state: arenas.state.map((pair) => pair[which].address),
  });
  const length = arenas.layout.paddedLength;
  const [current, next] = [copies(gate.current), copies(gate.shadow)];
  context.optimizer.update({ step: id.step, current, next, sums, count, from: 0, length });
  gate.wrote(0, length);
}
