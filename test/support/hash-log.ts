import { createHash } from "node:crypto";
import type { EpochEntry, HashLogHeader, StepEntry } from "../../coordinator/output/hash-log-format.js";
import type { JobId } from "../../shared/ids.js";

/** 16 hex digits that depend on the text alone. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A run of two replicas; 4 blocks of 16 floats: kernel of the first layer (20 floats, blocks 0–1), its bias (block 2), output (block 3). */
export function hashLogHeader(changes: Partial<HashLogHeader> = {}): HashLogHeader {
  return {
    kind: "header",
    formatVersion: 1,
    jobId: "iris-1" as JobId,
    numerics: {
      engine: "wasm",
      engineVersion: "tfjs 4.22.0",
      instructionSet: "wasm-simd/x64",
      threads: 1,
      seed: 6,
      batchSize: 32,
      epochs: 2,
      optimizer: { kind: "momentum", learningRate: 0.1, momentum: 0.9 },
      loss: "softmaxCrossEntropy",
      datasetSha256: "d1",
    },
    machinery: { workers: 1, collective: "local", transport: "ipc", ordered: true },
    replicas: 2,
    blocks: { blockLength: 16, blockCount: 4, paddedLength: 64 },
    tensors: [
      { name: "hidden_1/kernel", shape: [4, 5], offset: 0, length: 20 },
      { name: "hidden_1/bias", shape: [5], offset: 32, length: 5 },
      { name: "output/kernel", shape: [5, 1], offset: 48, length: 5 },
    ],
    stateNames: ["velocity"],
    granularity: "step",
    ...changes,
  };
}

/** Hashes of 4 blocks; blocks in `changed` get others. */
export function blockHashes(what: string, changed: readonly number[] = []): string[] {
  return [0, 1, 2, 3].map((block) => hashOf(`${what}/${block}${changed.includes(block) ? "!" : ""}`));
}

export function stepEntry(epoch: number, step: number): StepEntry {
  const replicas = [0, 1].map((replica) => ({
    replica,
    rows: hashOf(`rows ${step}/${replica}`),
    gradients: blockHashes(`gradient ${step}/${replica}`),
  }));
  return { kind: "step", epoch, step, replicas, parameters: blockHashes(`parameters ${step}`) };
}

export function epochEntry(epoch: number, step: number): EpochEntry {
  const [parameters, velocity] = [blockHashes(`parameters ${step}`), blockHashes(`velocity ${step}`)];
  return { kind: "epoch", epoch, step, parameters, state: [velocity] };
}
