import { z } from "zod";
import { JobIdSchema } from "../../shared/ids.js";
import { ModelSpecSchema, OptimizerSpecSchema } from "../../shared/model-spec.js";
import { EngineFactsSchema } from "../../shared/protocol/control-message.js";
import { StepRulesSchema } from "../../shared/step-rules.js";
import { EpochEventSchema } from "../../shared/train-events.js";
import { TrainingPositionSchema } from "../../shared/training-position.js";

/**
 * A checkpoint is one file:
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `RSTRCKPT` |
 * | 4 | format version |
 * | 4 | nothing |
 * | 8 | S |
 * | S | the state: what `stateSha256` is the hash of |
 * | M | the description, JSON |
 * | 8 | M |
 * | 32 | SHA-256 of all that stands before |
 *
 * The state comes first, so that it can be written as it arrives; what the description needs to know of the run may come later. Numbers
 * are little-endian.
 */
export const CHECKPOINT_VERSION = 1;
export const CHECKPOINTS_FOLDER = "checkpoints";

const MAGIC = Buffer.from("RSTRCKPT", "latin1");
/** Before the state: magic, version (4 bytes), nothing (4), length of the state (8). */
export const PROLOGUE_BYTES = 24;
/** Behind the description: its length (8 bytes) and the checksum. */
export const EPILOGUE_BYTES = 8 + 32;
/** A longer description is none: histories of a million epochs are shorter. */
export const MOST_DESCRIPTION_BYTES = 1 << 30;

const whole = z.number().int().nonnegative();
const positive = z.number().int().positive();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** All that must be the same where a job goes on: with it, the result is that of the undisturbed run. */
export const ResumableJobSchema = z.strictObject({
  datasetSha256: sha256,
  trainRows: positive,
  testRows: whole,
  testSplit: z.number(),
  labelIndex: z.number().nullable(),
  replicas: positive,
  seed: whole,
  batchSize: positive,
  epochs: positive,
  model: ModelSpecSchema,
  optimizer: OptimizerSpecSchema,
  stepRules: StepRulesSchema,
  lossThreshold: z.number().nullable(),
  evaluateEvery: positive,
  blockHashes: z.enum(["epoch", "step"]),
});
export type ResumableJob = z.infer<typeof ResumableJobSchema>;

/** What a checkpoint says of its state. */
export const CheckpointDescriptionSchema = z.strictObject({
  formatVersion: z.literal(CHECKPOINT_VERSION),
  /** Of the software that wrote it. */
  version: z.string(),
  jobId: JobIdSchema,
  position: TrainingPositionSchema,
  stateSha256: sha256,
  job: ResumableJobSchema,
  /** Of a replica's computation. */
  threads: positive,
  /** What computed it. */
  engine: EngineFactsSchema,
  /** How its gradients were exchanged, and whether in the canonical order. */
  collective: z.string(),
  ordered: z.boolean(),
  /** The effective configuration of the run that wrote it. */
  configuration: z.record(z.string(), z.json()),
  /** Of all epochs that are over. */
  history: z.array(EpochEventSchema),
  /** Training so far, without what was lost between a checkpoint and a resume. */
  elapsedMs: z.number().nonnegative(),
});
export type CheckpointDescription = z.infer<typeof CheckpointDescriptionSchema>;

/** What stands before a state of so many bytes. Pure. */
export function encodePrologue(stateBytes: number): Buffer {
  const bytes = Buffer.alloc(PROLOGUE_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(CHECKPOINT_VERSION, 8);
  bytes.writeBigUInt64LE(BigInt(stateBytes), 16);
  return bytes;
}

export type Prologue =
  | { readonly kind: "known"; readonly stateBytes: number }
  /** Of another version, whose checkpoints this one can't judge. */
  | { readonly kind: "foreign"; readonly problem: string }
  | { readonly kind: "none"; readonly problem: string };

/** What the first bytes of a file say of it. Pure. */
export function decodePrologue(bytes: Buffer): Prologue {
  if (bytes.byteLength < PROLOGUE_BYTES || !bytes.subarray(0, MAGIC.byteLength).equals(MAGIC))
    return { kind: "none", problem: "it is no checkpoint of ringstrasse" };
  const version = bytes.readUInt32LE(8);
  if (version !== CHECKPOINT_VERSION) {
    const problem = `it is in format ${version}, and this version reads format ${CHECKPOINT_VERSION}`;
    return { kind: "foreign", problem };
  }
  return { kind: "known", stateBytes: Number(bytes.readBigUInt64LE(16)) };
}

const DIGITS = 12;
const FILE_NAME = /^step-(\d{12,15})\.ckpt$/;

/** In order of their steps where names are sorted. Pure. */
export function checkpointFileName(step: number): string {
  return `step-${String(step).padStart(DIGITS, "0")}.ckpt`;
}

/** The step of a checkpoint by its name; null: it is named otherwise. Pure. */
export function stepOfFileName(name: string): number | null {
  const digits = FILE_NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Under which name a checkpoint that is damaged lies beside the others: nobody goes on from it. Pure. */
export function damagedFileName(name: string): string {
  return `${name}.damaged`;
}

const ABANDONED = ".abandoned";

/** Under which name a checkpoint lies beside the others that was written before the run went back to an earlier one: nobody goes on from it. Pure. */
export function abandonedFileName(name: string): string {
  return `${name}${ABANDONED}`;
}

/** Whether a checkpoint has such a name. Pure. */
export function isAbandonedCheckpoint(name: string): boolean {
  return name.endsWith(ABANDONED) && stepOfFileName(name.slice(0, -ABANDONED.length)) !== null;
}

/** Which checkpoints of a folder lie beyond a step that a run has gone back to; but for the one at `keptStep`, its own. Pure. */
export function abandonedCheckpoints(names: readonly string[], fromStep: number, keptStep: number): string[] {
  return names.filter((name) => {
    const step = stepOfFileName(name);
    return step !== null && step > fromStep && step !== keptStep;
  });
}

/** Whether it was left behind by a run that was killed while it wrote a checkpoint. Pure. */
export function isUnfinishedCheckpoint(name: string): boolean {
  return /^\.step-\d{12,15}\.ckpt\.unfinished-[0-9a-f]+$/.test(name);
}

/** Which checkpoints of a folder are too many after the one of `step` was written: all but the last `keep` up to it. Pure. */
export function surplusCheckpoints(names: readonly string[], step: number, keep: number): string[] {
  const upTo = names
    .map((name) => ({ name, at: stepOfFileName(name) }))
    .flatMap(({ name, at }) => (at === null || at > step ? [] : [{ name, at }]))
    .sort((a, b) => b.at - a.at);
  return upTo.slice(keep).map(({ name }) => name);
}
