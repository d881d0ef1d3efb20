import { z } from "zod";
import { EpochBlockHashesSchema, ReplicaBlockHashesSchema } from "../block-hash.js";
import { CheckpointPlanSchema } from "../checkpoint-plan.js";
import { CollectiveNameSchema, MeasuredChoiceSchema, MPI_MODES } from "../collective-choice.js";
import { EngineNameSchema } from "../engine-name.js";
import { FailureSchema } from "../failure.js";
import { GenerationSchema, JobIdSchema, RankSchema, WorkerIdSchema } from "../ids.js";
import { JobSpecSchema } from "../job-spec.js";
import { TrainingPositionSchema } from "../training-position.js";

/** Version of the control protocol and of the frames on the ring. A worker that speaks another one is refused by name. */
export const PROTOCOL_VERSION = 7;

const whole = z.number().int().nonnegative();
const figure = z.number();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** In every message: which protocol, and the sender's own count of messages, so that a lost or repeated one is noticed: see `SequenceCheck`. */
const header = { protocol: whole, sequence: whole };
/** In every message that belongs to one membership of one job; receivers drop what is not theirs. */
const jobHeader = { ...header, jobId: JobIdSchema, generation: GenerationSchema };

/** An engine that a worker has: all of it must be alike on all workers of a job for their bits to be alike. */
export const EngineFactsSchema = z.object({
  name: EngineNameSchema,
  version: z.string(),
  instructionSet: z.string(),
  /** That one computation uses in this process; it can't be changed there. */
  threads: z.number().int().positive(),
  /** Hash of a fixed computation. */
  probeSha256: sha256,
});
export type EngineFacts = z.infer<typeof EngineFactsSchema>;

export const PHASES = ["idle", "prepare", "compute", "exchange", "evaluate", "report"] as const;
/** What a worker's main thread is doing; only in `exchange` and `idle` does it wait for others. */
export type Phase = (typeof PHASES)[number];

/** One worker's share of one step. */
export const StepReportSchema = z.object({
  epoch: whole,
  step: whole,
  /** Mean training loss over all rows of the step; the same on every worker. */
  loss: figure,
  /** Fraction of all rows right; null for real-valued targets. */
  accuracy: figure.nullable(),
  /** Rows of the step over all workers. */
  totalRows: whole,
  /** These are the same on every worker too; see the step event. */
  learningRate: figure,
  gradientNorm: figure.optional(),
  lossScale: figure.optional(),
  skipped: z.literal(true).optional(),
  /** This worker's replicas and what it did for them. */
  replicas: z.array(whole),
  rows: whole,
  computeMs: figure,
  communicationMs: figure,
  sentBytes: whole,
  receivedBytes: whole,
  /** Of asynchronous steps, whose loss, accuracy and total rows are those of this worker's rows alone. */
  staleness: whole.optional(),
  stepsAhead: whole.optional(),
});
export type StepReport = z.infer<typeof StepReportSchema>;

/** Figures of one epoch; the same on every worker but for the times. */
export const EpochReportSchema = z.object({
  epoch: whole,
  /** Updates since the start of the job. */
  steps: whole,
  trainLoss: figure,
  trainAccuracy: figure.nullable(),
  trainMeanAbsoluteError: figure.nullable(),
  testLoss: figure.nullable(),
  testAccuracy: figure.nullable(),
  testMeanAbsoluteError: figure.nullable(),
  rows: whole,
  /** Time spent in training steps. */
  stepMs: figure,
  /** Part of it that the computation waited for the exchange. */
  communicationMs: figure,
  /** These are the epoch event's. */
  learningRate: figure,
  gradientNorm: figure.optional(),
  skippedSteps: whole.optional(),
});
export type EpochReport = z.infer<typeof EpochReportSchema>;

/** Memory that a worker shares with the others of its host. */
export const SegmentPlaceSchema = z.object({
  /** Of the mapped file, on the worker's host. */
  path: z.string(),
  sizeBytes: whole,
  /** Stands at its beginning, in hex: proves that it is the one that was meant. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
});
export type SegmentPlace = z.infer<typeof SegmentPlaceSchema>;

export const FromWorkerSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("join"),
    ...header,
    token: z.string(),
    workerId: WorkerIdSchema,
    host: z.string(),
    pid: whole,
    nodeVersion: z.string(),
    /** What it can compute with. */
    engines: z.array(EngineFactsSchema).min(1),
    /** It shares memory with all workers that name the same domain; null: with none. */
    memoryDomain: z.string().min(1).nullable(),
    /** Why with none. */
    sharingProblem: z.string().optional(),
  }),
  /** Arenas stand, the ring's end is bound. */
  z.object({
    kind: z.literal("ready"),
    ...jobHeader,
    ringEndpoint: z.string().nullable(),
    segment: SegmentPlaceSchema.nullable(),
    layoutHash: sha256,
  }),
  z.object({
    kind: z.literal("heartbeat"),
    ...header,
    /** Rises whenever the main thread gets on with its work. */
    progress: whole,
    phase: z.enum(PHASES),
    epoch: whole,
    step: whole,
  }),
  /** What the workers have measured and chosen, where the coordinator left it to them; before all reports of steps. */
  z.object({ kind: z.literal("collective"), ...jobHeader, choice: MeasuredChoiceSchema }),
  z.object({ kind: z.literal("steps"), ...jobHeader, reports: z.array(StepReportSchema).min(1) }),
  z.object({ kind: z.literal("epoch"), ...jobHeader, report: EpochReportSchema }),
  /** Rank 0 sends the parameters' and state's hashes; every rank those of its replicas' gradients when steps are traced. */
  z.object({
    kind: z.literal("blockHashes"),
    ...jobHeader,
    epochHashes: EpochBlockHashesSchema.nullable(),
    stepHashes: ReplicaBlockHashesSchema.nullable(),
  }),
  /** A state follows in pieces, as it is at this position; rank 0 only, one at a time. */
  z.object({
    kind: z.literal("checkpoint"),
    ...jobHeader,
    position: TrainingPositionSchema,
    /** Whether it answers `takeCheckpoint`. */
    asked: z.boolean(),
    totalBytes: whole,
  }),
  /** A piece of it, in order: each is answered by `checkpointReceived`, and few are on their way at a time. */
  z.object({
    kind: z.literal("checkpointPiece"),
    ...jobHeader,
    offsetBytes: whole,
    bytes: z.instanceof(Uint8Array),
  }),
  /** A state could not be set aside. */
  z.object({
    kind: z.literal("checkpointMissed"),
    ...jobHeader,
    epoch: whole,
    step: whole,
    asked: z.boolean(),
    problem: z.string(),
  }),
  /** Asks for a piece of the state that the generation begins with; answered by `state`. */
  z.object({ kind: z.literal("fetchState"), ...jobHeader, offsetBytes: whole, lengthBytes: whole }),
  /** A piece of the trained weights, in order; rank 0 only, before `finished`. */
  z.object({
    kind: z.literal("weights"),
    ...jobHeader,
    offsetBytes: whole,
    totalBytes: whole,
    bytes: z.instanceof(Uint8Array),
  }),
  z.object({
    kind: z.literal("finished"),
    ...jobHeader,
    epochs: whole,
    steps: whole,
    weightsSha256: sha256,
    stateSha256: sha256,
  }),
  z.object({ kind: z.literal("failed"), ...jobHeader, failure: FailureSchema }),
  /** Answers `release`: nothing of that generation is left, another job may come. */
  z.object({ kind: z.literal("released"), ...jobHeader }),
  /** The worker was told to leave, and waits for a moment, so that its job can be saved: it is answered by `stop` when nobody needs it. */
  z.object({ kind: z.literal("leaving"), ...header, signal: z.string() }),
  /** The worker was told to leave, and does. */
  z.object({ kind: z.literal("leave"), ...header, signal: z.string() }),
]);
export type FromWorker = z.infer<typeof FromWorkerSchema>;

export const FromCoordinatorSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("welcome"),
    ...header,
    heartbeatIntervalMs: whole,
    /** How long a worker may hear nothing from the coordinator before it gives up. */
    coordinatorTimeoutMs: whole,
    /** Whether a worker that loses the coordinator joins again, until it is told to stop. */
    comeBack: z.boolean(),
  }),
  z.object({ kind: z.literal("refused"), ...header, failure: FailureSchema }),
  /** A place in a new generation: build arenas, bind the ring, answer `ready`. */
  z.object({
    kind: z.literal("assign"),
    ...jobHeader,
    rank: RankSchema,
    worldSize: z.number().int().positive(),
    /** Workers of the job on this worker's host, itself included: they share its memory. */
    workersHere: z.number().int().positive(),
    /** Of the link from the previous worker of the ring. */
    transport: z.enum(["tcp", "ipc"]),
    /** One, or several of which the workers take the one that they measure to be fastest. */
    collectives: z.array(CollectiveNameSchema).min(1),
    /** Whether it shares memory with its neighbours on the ring. */
    sharesMemory: z.object({ withPrevious: z.boolean(), withNext: z.boolean() }),
    /** Of the collective `mpi`. */
    mpiMode: z.enum(MPI_MODES),
    /** Links over tcp are encrypted, with keys made of the token. */
    encrypt: z.boolean(),
    spec: JobSpecSchema,
    /** For rank 0, which saves the state of all. */
    checkpoints: CheckpointPlanSchema,
    /** The state to begin with, which is to be fetched; null: the initial one. */
    resume: z.object({ position: TrainingPositionSchema, totalBytes: whole, stateSha256: sha256 }).nullable(),
    /** Faults to inject, for tests of failure handling. */
    faults: z.array(z.string()),
  }),
  /** All are ready; `ringEndpoints` and `segments` by rank. */
  z.object({
    kind: z.literal("start"),
    ...jobHeader,
    ringEndpoints: z.array(z.string().nullable()),
    segments: z.array(SegmentPlaceSchema.nullable()),
  }),
  /** To rank 0: save the state as soon as a step is done. */
  z.object({ kind: z.literal("takeCheckpoint"), ...jobHeader }),
  /** So much of the checkpoint on its way is taken care of; after its last piece: it is on the disk, or given up. */
  z.object({ kind: z.literal("checkpointReceived"), ...jobHeader, receivedBytes: whole }),
  /** Answers `fetchState`. */
  z.object({ kind: z.literal("state"), ...jobHeader, offsetBytes: whole, bytes: z.instanceof(Uint8Array) }),
  /** Answers a heartbeat, so that workers notice a lost coordinator. */
  z.object({ kind: z.literal("alive"), ...header }),
  /** The generation is over, well or by `failure`: drop it and answer `released`. */
  z.object({ kind: z.literal("release"), ...jobHeader, failure: FailureSchema.nullable() }),
  /** There is nothing more to do: leave; `failure` names why when it did not end well. */
  z.object({ kind: z.literal("stop"), ...header, failure: FailureSchema.nullable() }),
]);
export type FromCoordinator = z.infer<typeof FromCoordinatorSchema>;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** A message without what the sending end fills in. */
export type WorkerBody = DistributiveOmit<FromWorker, "protocol" | "sequence">;
export type CoordinatorBody = DistributiveOmit<FromCoordinator, "protocol" | "sequence">;
