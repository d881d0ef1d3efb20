import { rowsOfStep } from "../../shared/epoch-plan.js";
import { learningRateOf } from "../../shared/learning-rate/learning-rate.js";
import { movedWith, NOTHING_SERVED, type PushPull, type PushPullReport } from "../async/push-pull.js";
import type { MovedBytes } from "../collective/guarded-collective.js";
import type { StepSums } from "../engine/engine.js";
import type { Arena } from "./arenas.js";
import { computeReplica } from "./compute-replica.js";
import { assertFiniteGradients, assertFiniteLoss, assertFiniteParameters } from "./finite-check.js";
import { ratePlan } from "./rate-plan.js";
import { addSums, NO_SUMS, readScalars, writeScalars } from "./step-scalars.js";
import type { StepId, StepOutcome } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/**
 * One step of an asynchronous job, on this worker: its replicas compute the gradient sums of their slices, which it pushes to the worker
 * that has the parameters as an update of their own, and it goes on with what they are then. Others are waited for only when this one
 * would get too far ahead.
 *
 * An update gets the share of the learning rate that its rows are of the step's. So the updates of a step move the parameters as far as one
 * synchronous update would, for any number of workers, and every row has the same weight.
 */
export async function trainAsyncStep(context: TrainingContext, id: StepId): Promise<StepOutcome> {
  const { arenas, gate, board, engine, spec } = context;
  const startedAt = performance.now();
  board.position(id.epoch, id.step);
  gate.begin(id.step, context.generation);
  engine.loadParameters(arenas.parameters[gate.current].values);
  let totals: StepSums = NO_SUMS;
  for (const [index, replica] of context.localReplicas.entries()) {
    totals = addSums(totals, await computeReplica(context, id, { replica, index }));
  }
  const gradients = localSums(context);
  if (totals.count > 0) {
    assertFiniteLoss(context, id, totals, gradients);
    assertFiniteGradients(context, id, gradients);
  }

  const fullRate = learningRateOf(ratePlan(spec), id.step);
  const learningRate = (fullRate * totals.count) / rowsOfStep(spec.dataset.train.rowCount, spec.batchSize, id.step);
  board.advance("exchange");
  const pushedAt = performance.now();
  const shadow = arenas.parameters[gate.shadow];
  const terms = { count: totals.count, learningRate, completesStep: true };
  const report = await pushPull(context, { ...terms, gradients: gradients.address, pulled: 0, into: shadow.address });
  const communicationMs = performance.now() - pushedAt;
  board.advance("compute");
  gate.arrived(id.step, context.generation);
  gate.wrote(0, arenas.layout.paddedLength);
  assertFiniteParameters(context, id, shadow);
  gate.commit(id);
  const hashes = context.trace?.take(id, context.rank === 0 ? shadow.values : null) ?? null;
  const { staleness, stepsAhead } = report;
  return {
    totals,
    update: { learningRate: fullRate },
    localRows: totals.count,
    elapsedMs: performance.now() - startedAt,
    communicationMs,
    ...movedWith(report, report.served),
    hashes,
    delay: { staleness, stepsAhead },
  };
}

/** What an epoch of an asynchronous job came to. */
export interface GatheredEpoch {
  /** Of all workers' steps. */
  readonly sums: StepSums;
  /** Moved for the last steps of others, after this worker's own. */
  readonly served: MovedBytes;
}

/**
 * Ends an epoch: waits until all workers have pushed all of it, and takes the parameters that came of it and the optimizer's state; none
 * of them can change before all workers have them.
 * @param own of this worker's steps
 */
export async function gatherEpoch(context: TrainingContext, own: StepSums): Promise<GatheredEpoch> {
  const { arenas, gate, board } = context;
  board.advance("exchange");
  const sums = await sumOverWorkers(context, own);
  let served = NOTHING_SERVED;
  const arenasToPull = [arenas.parameters, ...arenas.state].map((pair) => pair[gate.current]);
  for (const [pulled, { address }] of arenasToPull.entries()) {
    const terms = { count: 0, learningRate: 0, completesStep: false };
    const report = await pushPull(context, { ...terms, gradients: 0, pulled, into: address });
    served = movedWith(served, report.served);
  }
  await sumOverWorkers(context, NO_SUMS);
  board.advance("prepare");
  return { sums, served };
}

async function sumOverWorkers({ arenas, collective, totals, signal, nextSequence }: TrainingContext, own: StepSums) {
  for (const [index, scalars] of arenas.scalars.entries()) writeScalars(scalars, index === 0 ? own : NO_SUMS);
  const exchange = { sequence: nextSequence(), withArena: false };
  await collective.allReduce(exchange, signal);
  return readScalars(totals.scalarSums[exchange.sequence % 2 === 0 ? 0 : 1]);
}

/** The sums of this worker's replicas, in the first one's arena. */
function localSums({ arenas, kernels }: TrainingContext): Arena {
  const [sums, ...others] = arenas.gradients;
  if (sums === undefined) throw new RangeError("a worker without replicas");
  for (const { address } of others) kernels.add(sums.address, sums.address, address, arenas.layout.paddedLength);
  return sums;
}

function pushPull(context: TrainingContext, request: PushPull): Promise<PushPullReport> {
  if (context.pushPull === null) throw new RangeError("a synchronous job has no parameters to push to");
  return context.pushPull(request);
}
