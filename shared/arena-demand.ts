import { type ArenaLayout, type BlockPlan, blockPlan, layoutOf } from "./arena-layout.js";
import type { CollectiveName } from "./collective-choice.js";
import { arcOf } from "./epoch-plan.js";
import type { JobSpec } from "./job-spec.js";
import { OPTIMIZER_STATE } from "./optimizer-state.js";
import { outerOptimizer, stepsOfRound } from "./round-rules.js";
import { roundScalarCount, SCALARS, VOTES } from "./scalar-count.js";

/** What a worker's memory has to hold in a job. */
export interface ArenaDemand {
  readonly layout: ArenaLayout;
  readonly blocks: BlockPlan;
  readonly localReplicas: number;
  readonly stateArenas: number;
  /** State arenas of each replica's own optimizer, where replicas have parameters of their own. Default: they have none. */
  readonly copyStateArenas?: number;
  /** Float64 values of each scalar block. Default those of one step. */
  readonly scalarCount?: number;
  /** Whether the job has this one replica: then its gradients are the sums, in the same memory. Default false. */
  readonly isOnlyReplica?: boolean;
  /** Whether a replica's slice is computed in several micro-batches. Default false. */
  readonly accumulates?: boolean;
  /** The job's replicas from which this worker's begin, where memory is shared with the workers of its host. Default: none is. */
  readonly shared?: { readonly replicas: number; readonly first: number };
  /** Of the exchange. Default none. */
  readonly format?: "none" | "bf16" | "fp16";
  /** Elements of each replica's gradients that travel. Default: all. */
  readonly topk?: number;
  /** Whether this worker folds what others send it: see `ExchangeBuffers.inbox`. Default false. */
  readonly receivesGradients?: boolean;
  /** Whether this worker has the parameters of an asynchronous job. Default false. */
  readonly keepsParameters?: boolean;
}

/** What of a job decides its arenas. */
export interface ArenaJob extends Pick<JobSpec, "model" | "optimizer" | "replicas" | "stepRules" | "batchSize"> {
  readonly dataset: { readonly train: Pick<JobSpec["dataset"]["train"], "rowCount"> };
}

/** A worker in its group. */
export interface ArenaPlace {
  readonly rank: number;
  readonly worldSize: number;
  /** Whether it is the one that the others send to, where one is. */
  readonly isServer: boolean;
  /** What the group exchanges by, or measures. */
  readonly collectives: readonly CollectiveName[];
}

/** What a worker needs for its part in a job. Pure. */
export function jobArenaDemand(job: ArenaJob, { rank, worldSize, isServer, collectives }: ArenaPlace): ArenaDemand {
  const { accumulate, mostStepsAhead, rounds } = job.stepRules;
  const arc = arcOf(rank, worldSize, job.replicas);
  const layout = layoutOf(job.model);
  const sharesGradients = worldSize > 1 && collectives.includes("shm");
  const isAsync = mostStepsAhead !== null;
  const committed = rounds === null ? job.optimizer : outerOptimizer(rounds);
  return {
    layout,
    blocks: blockPlan(layout.paddedLength, job.replicas),
    localReplicas: arc.to - arc.from,
    stateArenas: OPTIMIZER_STATE[committed.kind].length,
    isOnlyReplica: job.replicas === 1,
    ...(sharesGradients ? { shared: { replicas: job.replicas, first: arc.from } } : {}),
    accumulates: accumulate > 1,
    ...payloadDemand(job, layout),
    receivesGradients: isServer && (isAsync || (worldSize > 1 && collectives.includes("parameter-server"))),
    keepsParameters: isServer && isAsync,
    ...roundDemand(job),
  };
}

/** What travels, and what it needs. */
function payloadDemand(
  { stepRules: { payload } }: ArenaJob,
  { parameterCount }: ArenaLayout,
): Pick<ArenaDemand, "format" | "topk" | "scalarCount"> {
  if (payload.format !== "topk") return { format: payload.format };
  return { topk: Math.ceil(payload.fraction * parameterCount), scalarCount: SCALARS + VOTES };
}

/** What rounds need of a worker's memory; nothing where replicas exchange in every step. */
function roundDemand({
  stepRules,
  optimizer,
  dataset,
  batchSize,
}: ArenaJob): Pick<ArenaDemand, "copyStateArenas" | "scalarCount"> {
  if (stepRules.rounds === null) return {};
  return {
    copyStateArenas: OPTIMIZER_STATE[optimizer.kind].length,
    scalarCount: roundScalarCount(stepsOfRound(stepRules.rounds, dataset.train.rowCount, batchSize)),
  };
}
