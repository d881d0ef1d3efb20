import process from "node:process";
import { arcOf } from "../../shared/epoch-plan.js";
import { outerOptimizer } from "../../shared/round-rules.js";
import type { TrainingPosition } from "../../shared/training-position.js";
import type { LinkKeys } from "../../shared/transport/link-keys.js";
import { updatesBefore, updatesOfEpoch } from "../async/count-updates.js";
import type { CommunicationClient } from "../communication/communication-client.js";
import type { Assignment } from "../communication/generation-link.js";
import type { ProgressBoard } from "../communication/progress-board.js";
import { createEngine } from "../engine/create-engine.js";
import { writeInitialParameters } from "../engine/initial-parameters.js";
import { FaultPlan } from "../fault/fault-plan.js";
import { compileKernels, instantiateKernels } from "../kernels/load-kernels.js";
import type { SharedMemory } from "../kernels/shared-memory.js";
import { CommitGate } from "../optimizer/commit-gate.js";
import { createOptimizer } from "../optimizer/create-optimizer.js";
import { type Arenas, fillTensors, viewTotals } from "./arenas.js";
import { Checkpointer } from "./checkpointer.js";
import { createRounds } from "./create-rounds.js";
import { formCollective } from "./form-collective.js";
import { allocateJobArenas } from "./job-arenas.js";
import { LossScaler } from "./loss-scaler.js";
import { MicroBatchStream } from "./micro-batch-stream.js";
import { ReplicaStates } from "./replica-states.js";
import { restoreState } from "./restore-state.js";
import { replicaStateTensors } from "./saved-state.js";
import { checkStepMemory } from "./step-memory.js";
import { StepTracer } from "./step-tracer.js";
import { trainJob } from "./train-job.js";
import type { TrainingContext } from "./training-context.js";
import { reportOutcome, TrainingReporter } from "./training-reporter.js";

/** Before the first step. */
const BEGINNING: TrainingPosition = { epoch: 0, step: 0, progress: null };

export interface GenerationResources {
  readonly communication: CommunicationClient;
  /** Aborts when the generation is over; its reason is a RingstrasseError. */
  readonly signal: AbortSignal;
  /** Empty; for this generation's arenas alone. */
  readonly memory: SharedMemory;
  readonly board: ProgressBoard;
  /** This host's address for tcp rings. */
  readonly address: string;
  /** What links over tcp are encrypted with, where the assignment wants it. */
  readonly linkKeys: () => LinkKeys;
  /** Says something that the user should know. */
  readonly announce: (text: string) => void;
}

/**
 * One generation of a job on this worker: build the arenas, form the ring, train, report the result.
 * @throws RingstrasseError when the group breaks, the numbers do, or the coordinator calls the job off.
 */
export async function runGeneration(assignment: Assignment, resources: GenerationResources): Promise<void> {
  const { spec, rank, worldSize, generation, jobId } = assignment;
  const { communication, board, memory, signal } = resources;
  board.advance("prepare");
  const arc = arcOf(rank, worldSize, spec.replicas);
  const localReplicas = Array.from({ length: arc.to - arc.from }, (_, index) => arc.from + index);

  checkStepMemory(spec, process.availableMemory(), assignment.workersHere);
  const module = await compileKernels();
  const kernels = instantiateKernels(module, memory.memory);
  const { payload, rounds: roundRules } = spec.stepRules;
  const optimizer = createOptimizer(roundRules === null ? spec.optimizer : outerOptimizer(roundRules), kernels);
  const arenas = allocateJobArenas(memory, assignment);
  const { layout } = arenas;
  await using engine = await createEngine(spec.engine, spec.model, layout, {
    seed: spec.seed,
    threads: spec.threads,
    precision: spec.stepRules.precision,
    report: resources.announce,
  });
  await using batches = MicroBatchStream.open(spec, localReplicas);
  initialise(arenas, spec.seed, optimizer.initialState);
  const { resume } = assignment;
  const position = resume?.position ?? BEGINNING;
  const rounds = createRounds({ spec, arenas, kernels, arc, steps: position.step });
  const replicaState = replicaStateTensors(arenas, arc, spec.replicas);
  const withLossScale = payload.format === "fp16";
  const scaleState =
    resume === null
      ? undefined
      : await restoreState(assignment, resume, { communication, board, arenas, replicaState, withLossScale });

  const kernelsIn = { module, instance: kernels };
  storeParameters(arenas);
  const formed = await formCollective(assignment, { ...resources, arenas, kernels: kernelsIn });
  await using collective = formed.collective;
  // What top-k has not sent yet is a replica's own too.
  const carries = rounds !== null || payload.format === "topk";
  let sequence = 0;
  const context: TrainingContext = {
    spec,
    generation,
    rank,
    localReplicas,
    arenas,
    engine,
    optimizer,
    collective,
    pushPull: formed.pushPull,
    updatesUpTo: formed.pushPull === null ? null : countUpdates(assignment, position),
    totals: viewTotals(memory, arenas, collective.totals),
    kernels,
    gate: new CommitGate(layout.paddedLength, position),
    batches,
    board,
    faults: new FaultPlan(assignment.faults, resources.announce),
    signal,
    nextSequence: () => sequence++,
    lossScaler: payload.format === "fp16" ? new LossScaler(payload.lossScale, scaleState) : null,
    rounds,
    replicaStates: carries ? new ReplicaStates(localReplicas.map((replica, index) => ({ replica, index }))) : null,
    trace: spec.blockHashes === "step" ? new StepTracer(arenas) : null,
  };
  const job = { jobId, generation };
  const checkpointer = rank === 0 ? new Checkpointer(context, job, assignment.checkpoints, communication) : null;
  const reporter = new TrainingReporter(context, job, (body) => communication.send(body), { checkpointer });
  if (resume === null) reporter.begin();
  const end = await trainJob(context, reporter, position).catch((thrown: unknown) => {
    // The last steps before a failure are those that one looks for.
    reporter.onPause();
    throw thrown;
  });
  board.advance("report");
  await reportOutcome(context, job, end, (body) => communication.send(body));
  board.advance("idle");
}

function countUpdates({ spec, worldSize }: Assignment, position: TrainingPosition): (epoch: number) => number {
  const before = updatesBefore(position, worldSize);
  return (epoch) => before + (epoch - position.epoch) * updatesOfEpoch(spec, worldSize);
}

/** An asynchronous job begins with what all workers begin with. */
function storeParameters({ store, parameters, state }: Arenas): void {
  store?.parameters.values.set(parameters[0].values);
  for (const [index, { values }] of (store?.state ?? []).entries()) {
    const from = state[index];
    if (from !== undefined) values.set(from[0].values);
  }
}

/** Every worker draws the same initial parameters; both copies get them, so that padding is zero in each. */
function initialise(arenas: Arenas, seed: number, initialState: readonly number[]): void {
  for (const copy of arenas.parameters) writeInitialParameters(arenas.layout, seed, copy.values);
  for (const [index, pair] of arenas.state.entries()) {
    for (const copy of pair) fillTensors(arenas.layout, copy, initialState[index] ?? 0);
  }
}
