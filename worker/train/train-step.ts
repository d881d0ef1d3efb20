import type { ReplicaBlockHashes } from "../../shared/block-hash.js";
import type { PushPullReport } from "../async/push-pull.js";
import type { StepSums } from "../engine/engine.js";
import { applyUpdate, type UpdateFigures } from "./apply-update.js";
import { computeReplica } from "./compute-replica.js";
import { assertFiniteLoss } from "./finite-check.js";
import { readScalars, writeScalars } from "./step-scalars.js";
import { stepWeight } from "./step-weight.js";
import type { TrainingContext } from "./training-context.js";

/** Names one step. Both counts start at 1; `step` counts since the start of the job. */
export interface StepId {
  readonly epoch: number;
  readonly step: number;
}

export interface StepOutcome {
  /** Over all rows of the step and all replicas. */
  readonly totals: StepSums;
  readonly update: UpdateFigures;
  /** Rows of this worker's replicas. */
  readonly localRows: number;
  readonly elapsedMs: number;
  /** Time in which this worker waited for the exchange. */
  readonly communicationMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Of what was computed; null: steps are not traced. */
  readonly hashes: ReplicaBlockHashes | null;
  /** Of an asynchronous step, whose other figures are this worker's own: how old what it was computed from had become. */
  readonly delay?: Pick<PushPullReport, "staleness" | "stepsAhead">;
}

export interface TrainedStep {
  readonly id: StepId;
  readonly outcome: StepOutcome;
}

/**
 * One optimizer step: every local replica computes the gradient sums of its slice, the sums of all replicas are folded over the
 * group, divided by the rows of the step, and the update is committed. All workers do the same update on the same bits.
 * @param wantsCheckpoint asked just before the exchange, where workers must agree on one
 */
export async function trainStep(
  context: TrainingContext,
  id: StepId,
  wantsCheckpoint: () => boolean = () => false,
): Promise<StepOutcome> {
  const { arenas, gate, board, lossScaler } = context;
  const startedAt = performance.now();
  let localRows = 0;
  board.position(id.epoch, id.step);
  gate.begin(id.step, context.generation);

  context.engine.loadParameters(arenas.parameters[gate.current].values);
  for (const [index, replica] of context.localReplicas.entries()) {
    const sums = await computeReplica(context, id, { replica, index });
    const scalars = arenas.scalars[index];
    if (scalars === undefined) throw new RangeError(`no scalar block for local replica ${index}`);
    writeScalars(scalars, sums);
    localRows += sums.count;
  }

  context.replicaStates?.vote(arenas.scalars, wantsCheckpoint());
  board.advance("exchange");
  const exchangedAt = performance.now();
  const { weight, rows: gradientRows } = stepWeight(context.spec, id.step);
  const exchange = { sequence: context.nextSequence(), withArena: true, scale: lossScaler?.scale ?? 1, weight };
  const report = await context.collective.allReduce(exchange, context.signal);
  const communicationMs = performance.now() - exchangedAt;
  gate.arrived(id.step, context.generation);

  board.advance("compute");
  const set = exchange.sequence % 2 === 0 ? 0 : 1;
  const totals = readScalars(context.totals.scalarSums[set]);
  context.replicaStates?.count(context.totals.scalarSums[set]);
  const sums = context.totals.sums[set];
  assertFiniteLoss(context, id, totals, sums);
  const update = applyUpdate(context, id, { sums, count: totals.count, gradientRows });
  const { sentBytes, receivedBytes } = report;
  const elapsedMs = performance.now() - startedAt;
  const hashes = context.trace?.take(id, context.rank === 0 ? arenas.parameters[gate.current].values : null) ?? null;
  return { totals, update, localRows, elapsedMs, communicationMs, sentBytes, receivedBytes, hashes };
}
