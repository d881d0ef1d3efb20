import { type EpochBlockHashes, hashBlocks, type ReplicaBlockHashes, ShortHash } from "../../shared/block-hash.js";
import type { MicroBatch } from "../engine/engine.js";
import type { Arenas } from "./arenas.js";
import type { StepId } from "./train-step.js";
import type { StepTrace } from "./training-context.js";

/** Hashes of everything that a step computes, for `ringstrasse diff`. Costs a SHA-256 over all local gradients per step. */
export class StepTracer implements StepTrace {
  readonly #arenas: Arenas;
  #replicas: ReplicaBlockHashes["replicas"] = [];
  /** Of the replica that is being computed. */
  readonly #rows = new ShortHash();

  constructor(arenas: Arenas) {
    this.#arenas = arenas;
  }

  /** A batch is valid for a moment only, so its rows are hashed at once. */
  rows(batch: MicroBatch | null): void {
    if (batch !== null) this.#rows.add([batch.x, targetsOf(batch)]);
  }

  replica(replica: number, gradients: Float32Array): void {
    const rows = this.#rows.take();
    this.#replicas.push({ replica, rows, gradients: hashBlocks(gradients, this.#arenas.blocks) });
  }

  take(id: StepId, parameters: Float32Array | null): ReplicaBlockHashes {
    const replicas = this.#replicas;
    this.#replicas = [];
    return { ...id, replicas, parameters: parameters === null ? null : hashBlocks(parameters, this.#arenas.blocks) };
  }
}

/** Hashes of the committed state after an epoch. */
export function epochBlockHashes(arenas: Arenas, current: 0 | 1, id: StepId): EpochBlockHashes {
  return {
    ...id,
    parameters: hashBlocks(arenas.parameters[current].values, arenas.blocks),
    state: arenas.state.map((pair) => hashBlocks(pair[current].values, arenas.blocks)),
  };
}

function targetsOf(batch: MicroBatch): Float32Array | Uint32Array {
  return batch.targets.kind === "class" ? batch.targets.classes : batch.targets.values;
}
