import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointFile } from "../../coordinator/checkpoint/checkpoint-file.js";
import {
  CHECKPOINT_VERSION,
  type CheckpointDescription,
  CheckpointDescriptionSchema,
  checkpointFileName,
  type ResumableJob,
} from "../../coordinator/checkpoint/checkpoint-format.js";
import type { EngineName } from "../../shared/engine-name.js";

const SHA = "0123456789abcdef".repeat(4);

export const RESUMABLE_JOB: ResumableJob = {
  ...{ datasetSha256: SHA, trainRows: 97, testRows: 53, testSplit: 0.35, labelIndex: 4 },
  ...{ replicas: 4, seed: 6, batchSize: 16, epochs: 20 },
  model: {
    inputs: 4,
    layers: [
      { kind: "dense", name: "hidden", units: 3, activation: "tanh", initialBias: 0 },
      { kind: "dense", name: "output", units: 3, activation: "softmax", initialBias: 0 },
    ],
    loss: "softmaxCrossEntropy",
    targets: { kind: "class", classes: 3 },
  },
  optimizer: { kind: "momentum", learningRate: 0.1, momentum: 0.9 },
  stepRules: {
    ...{ accumulate: 1, clipNorm: null, precision: "float32", mostStepsAhead: null, warmUpSteps: 0 },
    schedule: { kind: "cosine", final: 0 },
    payload: { format: "none" },
    rounds: null,
  },
  ...{ lossThreshold: null, evaluateEvery: 1, blockHashes: "epoch" },
};

/** What the checkpoint after step `step` says; its epoch is over. */
export function checkpointDescription(step: number, stateSha256 = SHA, job = RESUMABLE_JOB): CheckpointDescription {
  return CheckpointDescriptionSchema.parse({
    ...{ formatVersion: 1, version: "0.0.0", jobId: "iris-1", stateSha256, job, threads: 1 },
    position: { epoch: step, step, progress: null },
    engine: { name: "wasm", version: "1", instructionSet: "simd", threads: 1, probeSha256: SHA },
    ...{ collective: "shm", ordered: true, configuration: { seed: 6 }, history: [], elapsedMs: 12.5 },
  });
}

interface CheckpointWish {
  readonly job?: ResumableJob;
  readonly stateBytes?: number;
  /** What computed it. */
  readonly engine?: EngineName;
}

/** Writes the checkpoint after step `step`, with a state of random bytes. @returns its path */
export async function writeCheckpoint(
  folder: string,
  step: number,
  { job = RESUMABLE_JOB, stateBytes = 40, engine = "wasm" }: CheckpointWish = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, checkpointFileName(step));
  const file = await CheckpointFile.create(path, stateBytes);
  await file.append(randomBytes(stateBytes));
  await file.finish((sha256) => {
    const description = checkpointDescription(step, sha256, job);
    return { ...description, engine: { ...description.engine, name: engine } };
  });
  return path;
}

/** As {@link writeCheckpoint}, in a format that this version doesn't read. */
export async function writeForeignCheckpoint(folder: string, step: number): Promise<string> {
  const path = await writeCheckpoint(folder, step);
  const bytes = await readFile(path);
  bytes.writeUInt32LE(CHECKPOINT_VERSION + 1, 8);
  await writeFile(path, bytes);
  return path;
}

/** As {@link writeCheckpoint}, sound, by a version whose descriptions say more. */
export async function writeNewerCheckpoint(folder: string, step: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, checkpointFileName(step));
  const file = await CheckpointFile.create(path, 4);
  await file.append(randomBytes(4));
  await file.finish((sha256) => Object.assign(checkpointDescription(step, sha256), { ofNewerReleases: true }));
  return path;
}
