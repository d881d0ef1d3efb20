import process from "node:process";
import { blockPlan, layoutOf } from "../../shared/arena-layout.js";
import { arcOf } from "../../shared/epoch-plan.js";
import type { TrainingPosition } from "../../shared/training-position.js";
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
import { type Arenas, allocateArenas, viewTotals } from "./arenas.js";
import { Checkpointer } from "./checkpointer.js";
import { EVALUATION_BATCH } from "./evaluate.js";
import { formCollective } from "./form-collective.js";
import { LossScaler } from "./loss-scaler.js";
import { MicroBatchStream } from "./micro-batch-stream.js";
import { restoreState } from "./restore-state.js";
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
  const layout = layoutOf(spec.model);
  const blocks = blockPlan(layout.paddedLength, spec.replicas);
  const module = await compileKernels();
  const kernels = instantiateKernels(module, memory.memory);
  const optimizer = createOptimizer(spec.optimizer, kernels);
  const { payload } = spec.stepRules;
  const arenas = allocateArenas(memory, {
    layout,
    blocks,
    localReplicas: localReplicas.length,
    stateArenas: optimizer.stateNames.length,
    isOnlyReplica: spec.replicas === 1,
    ...(worldSize > 1 && assignment.collectives.includes("shm")
      ? { shared: { replicas: spec.replicas, first: arc.from } }
      : {}),
    accumulates: spec.stepRules.accumulate > 1,
    format: payload.format,
  });
  await using engine = await createEngine(spec.engine, spec.model, layout, {
    seed: spec.seed,
    threads: spec.threads,
    report: resources.announce,
  });
  await using batches = MicroBatchStream.open(spec, localReplicas, EVALUATION_BATCH);
  initialise(arenas, spec.seed, optimizer.initialState);
  const { resume } = assignment;
  const withLossScale = payload.format === "fp16";
  const scaleState =
    resume === null
      ? undefined
      : await restoreState(assignment, resume, { communication, board, arenas, withLossScale });

  const kernelsIn = { module, instance: kernels };
  await using collective = await formCollective(assignment, { ...resources, arenas, kernels: kernelsIn });
  const position = resume?.position ?? BEGINNING;
  let sequence = 0;
  const trace = spec.blockHashes === "step" ? new StepTracer(arenas) : null;
  const context: TrainingContext = {
    spec,
    generation,
    rank,
    localReplicas,
    arenas,
    engine,
    optimizer,
    collective,
    totals: viewTotals(memory, layout, collective.totals),
    kernels,
    gate: new CommitGate(layout.paddedLength, position),
    batches,
    board,
    faults: new FaultPlan(assignment.faults, resources.announce),
    signal,
    nextSequence: () => sequence++,
    lossScaler: payload.format === "fp16" ? new LossScaler(payload.lossScale, scaleState) : null,
    trace,
  };
  const job = { jobId, generation };
  const checkpointer = rank === 0 ? new Checkpointer(context, job, assignment.checkpoints, communication) : null;
  const reporter = new TrainingReporter(context, job, (body) => communication.send(body), { trace, checkpointer });
  if (resume === null) reporter.begin();
  const end = await trainJob(context, reporter, position);
  board.advance("report");
  reportOutcome(context, job, end, (body) => communication.send(body));
  board.advance("idle");
}

/** Every worker draws the same initial parameters; both copies get them, so that padding is zero in each. */
function initialise(arenas: Arenas, seed: number, initialState: readonly number[]): void {
  for (const copy of arenas.parameters) writeInitialParameters(arenas.layout, seed, copy.values);
  for (const [index, pair] of arenas.state.entries()) {
    for (const copy of pair) {
      for (const slot of arenas.layout.slots) {
        copy.values.fill(initialState[index] ?? 0, slot.offset, slot.offset + slot.length);
      }
    }
  }
}
