import { z } from "zod";
import { describeFailure } from "./describe-failure.js";
import { unreachable } from "./unreachable.js";

const text = z.string();
const place = {
  /** File as the user named it; null when the document came from elsewhere. */
  file: text.nullable(),
  /** 1-based line, where known. */
  line: z.number().nullable(),
  /** 1-based column, where known. */
  column: z.number().nullable(),
  /** e.g. `/definition/structure/hidden[2]/size`. */
  elementPath: text.nullable(),
};
const worker = {
  rank: z.number().nullable(),
  host: text,
  pid: z.number().nullable(),
  /** The replicas that the worker computed, so that the culprit can be named in the job's own terms. */
  replicas: z.array(z.number()),
  /** Last step that the worker was seen in; null before the first. */
  step: z.number().nullable(),
};
const repetition = {
  /** What ended a job that would else have gone on: runs broken off, one after the other, without getting further than the saved step. */
  repeated: z.object({ times: z.number(), step: z.number() }).optional(),
};

/**
 * Everything that can go wrong, by name. Plain data: it goes over the wire, into logs and into `--json` as it is.
 * `problem` says what is wrong, `remedy` what to do about it.
 */
export const FailureSchema = z.discriminatedUnion("code", [
  z.object({ code: z.literal("USAGE"), option: text.nullable(), problem: text, remedy: text }),
  /** Not XML, refused for safety (entities, depth, length), or against the format's rules. */
  z.object({ code: z.literal("DOCUMENT_INVALID"), ...place, problem: text, remedy: text }),
  /** The document asks for something that this version can't do. */
  z.object({ code: z.literal("DOCUMENT_UNSUPPORTED"), ...place, problem: text, supported: z.array(text) }),
  z.object({ code: z.literal("INPUT_MISSING"), file: text, problem: text, remedy: text }),
  z.object({
    code: z.literal("DATA_INVALID"),
    file: text,
    /** 1-based line of a CSV file or 1-based item of an IDX file. */
    row: z.number().nullable(),
    /** 0-based, as `labelIndex` counts. */
    column: z.number().nullable(),
    problem: text,
    remedy: text,
  }),
  /** Document and data are each sound, but do not fit each other. */
  z.object({
    code: z.literal("DATA_MISMATCH"),
    file: text,
    elementPath: text.nullable(),
    problem: text,
    remedy: text,
  }),
  z.object({ code: z.literal("MODEL_INVALID"), file: text, problem: text, remedy: text }),
  /** A choice that the product knows of but can't do (yet, or here). */
  z.object({
    code: z.literal("CHOICE_UNSUPPORTED"),
    option: text,
    /** Empty for a switch. */
    value: text,
    supported: z.array(text),
    remedy: text,
  }),
  z.object({ code: z.literal("OUTPUT_UNWRITABLE"), path: text, problem: text, remedy: text }),
  z.object({ code: z.literal("ENDPOINT_UNAVAILABLE"), endpoint: text, problem: text, remedy: text }),
  z.object({ code: z.literal("ENGINE_UNAVAILABLE"), engine: text, problem: text, remedy: text }),
  z.object({ code: z.literal("COLLECTIVE_UNAVAILABLE"), collective: text, problem: text, remedy: text }),
  z.object({ code: z.literal("LAUNCH_FAILED"), host: text, problem: text, remedy: text }),
  /** A batch system that isn't there, or won't take the job. */
  z.object({ code: z.literal("BATCH_REFUSED"), option: text.nullable(), problem: text, remedy: text }),
  /** A batch job has ended without its run's having finished; `state` is the batch system's word for how. */
  z.object({ code: z.literal("BATCH_FAILED"), batchJob: text, state: text, problem: text, remedy: text }),
  /** Too few workers joined in time. */
  z.object({
    code: z.literal("RENDEZVOUS_TIMEOUT"),
    joined: z.number(),
    expected: z.number(),
    waitedMs: z.number(),
    problem: text,
  }),
  /** A worker that may not take part: wrong protocol, token, engine version, instruction set or probe result. */
  z.object({
    code: z.literal("WORKER_REFUSED"),
    workerId: text,
    host: text,
    what: text,
    expected: text,
    got: text,
    remedy: text,
  }),
  z.object({ code: z.literal("WORKER_DIED"), ...worker, how: text, lastWords: text.nullable(), ...repetition }),
  /** A worker was told to leave in the middle of a job; `resumeFrom` as with INTERRUPTED. */
  z.object({ code: z.literal("WORKER_LEFT"), ...worker, signal: text, resumeFrom: text.optional() }),
  /** No heartbeat: the process or its host stands still, or the network is cut. */
  z.object({ code: z.literal("WORKER_SILENT"), ...worker, silentMs: z.number(), ...repetition }),
  /** Heartbeats come, but the computation makes no progress. */
  z.object({ code: z.literal("WORKER_STALLED"), ...worker, stalledMs: z.number(), phase: text, ...repetition }),
  z.object({ code: z.literal("COORDINATOR_LOST"), endpoint: text, silentMs: z.number().nullable(), problem: text }),
  z.object({ code: z.literal("PROTOCOL_VIOLATION"), from: text, problem: text }),
  z.object({
    code: z.literal("NOT_FINITE"),
    epoch: z.number(),
    step: z.number(),
    /** What was not finite: `loss`, a parameter's gradient, or a parameter. */
    tensor: text,
    value: text,
    learningRate: z.number(),
    remedy: text,
  }),
  /** Workers that must hold the same bits don't: a defect of this software or of a machine. */
  z.object({ code: z.literal("WORKERS_DIVERGED"), what: text, hashes: z.record(text, text) }),
  /** A server's data directory can't be used: another server holds it, or its file system is unfit or full. */
  z.object({ code: z.literal("STORE_UNAVAILABLE"), path: text, problem: text, remedy: text }),
  /** A data directory of a newer version, or one whose migrations are not those of this software. */
  z.object({ code: z.literal("STORE_INCOMPATIBLE"), path: text, problem: text, remedy: text }),
  /** What lies in a data directory is not what was written there. */
  z.object({ code: z.literal("STORE_DAMAGED"), path: text, problem: text, remedy: text }),
  /** Too large: one document, one file, or all files together (`files`). */
  z.object({
    code: z.literal("QUOTA_EXCEEDED"),
    quota: z.enum(["document", "file", "files"]),
    limitBytes: z.number(),
    problem: text,
    remedy: text,
  }),
  z.object({ code: z.literal("NOT_FOUND"), what: z.enum(["job", "file"]), id: text, remedy: text }),
  /** Somebody else changed it since it was read. */
  z.object({ code: z.literal("CONFLICT"), what: z.enum(["job", "file"]), id: text, problem: text, remedy: text }),
  /** The service gives the judging of a model no more time than this. */
  z.object({ code: z.literal("EVALUATION_TIMEOUT"), limitMs: z.number(), problem: text, remedy: text }),
  /** No checkpoint can be gone on from, since all are damaged; `problem` names all that were looked at. */
  z.object({ code: z.literal("CHECKPOINT_UNUSABLE"), path: text, problem: text, remedy: text }),
  /** Checkpoints can't be read here and now, or are in a format of another version: nothing says that they are damaged. */
  z.object({ code: z.literal("CHECKPOINT_UNREADABLE"), path: text, problem: text, remedy: text }),
  /** A checkpoint is that of another job. */
  z.object({
    code: z.literal("RESUME_MISMATCH"),
    checkpoint: text,
    what: text,
    expected: text,
    got: text,
    remedy: text,
  }),
  /** `resumeFrom`: what `--resume` goes on from; absent: nothing was saved. */
  z.object({ code: z.literal("INTERRUPTED"), signal: text, resumeFrom: text.optional(), ...repetition }),
  /** Somebody asked the service to end the job. */
  z.object({ code: z.literal("CANCELLED"), what: z.literal("job"), id: text }),
  /** A run elsewhere, or whoever speaks for it, said so. */
  z.object({ code: z.literal("REPORTED"), problem: text }),
  z.object({ code: z.literal("INTERNAL"), problem: text }),
]);
export type Failure = z.infer<typeof FailureSchema>;
export type FailureCode = Failure["code"];

/** The one error class: carries a {@link Failure}; `cause` is kept. */
export class RingstrasseError extends Error {
  override readonly name = "RingstrasseError";
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(describeFailure(failure), options);
    this.failure = failure;
  }
}

/** Turns whatever was thrown into a failure with a name; unknown errors become `INTERNAL`. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof RingstrasseError) return thrown.failure;
  const problem = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return { code: "INTERNAL", problem };
}

/** Exit codes of the command line: 2 usage, 3 bad document or data, 4 environment, 5 training failure, 130 interrupted. */
export function exitCodeOf(code: FailureCode): number {
  switch (code) {
    case "USAGE":
    case "RESUME_MISMATCH":
      return 2;
    case "DOCUMENT_INVALID":
    case "DOCUMENT_UNSUPPORTED":
    case "INPUT_MISSING":
    case "DATA_INVALID":
    case "DATA_MISMATCH":
    case "MODEL_INVALID":
    case "CHECKPOINT_UNUSABLE":
    case "CHECKPOINT_UNREADABLE":
    case "NOT_FOUND":
      return 3;
    case "CHOICE_UNSUPPORTED":
    case "OUTPUT_UNWRITABLE":
    case "ENDPOINT_UNAVAILABLE":
    case "ENGINE_UNAVAILABLE":
    case "COLLECTIVE_UNAVAILABLE":
    case "LAUNCH_FAILED":
    case "BATCH_REFUSED":
    case "STORE_UNAVAILABLE":
    case "STORE_INCOMPATIBLE":
    case "STORE_DAMAGED":
    case "QUOTA_EXCEEDED":
    case "CONFLICT":
      return 4;
    case "RENDEZVOUS_TIMEOUT":
    case "WORKER_REFUSED":
    case "WORKER_DIED":
    case "WORKER_LEFT":
    case "WORKER_SILENT":
    case "WORKER_STALLED":
    case "COORDINATOR_LOST":
    case "PROTOCOL_VIOLATION":
    case "NOT_FINITE":
    case "WORKERS_DIVERGED":
    case "EVALUATION_TIMEOUT":
    case "REPORTED":
    case "BATCH_FAILED":
    case "INTERNAL":
      return 5;
    case "INTERRUPTED":
    case "CANCELLED":
      return 130;
    default:
      return unreachable(code);
  }
}
