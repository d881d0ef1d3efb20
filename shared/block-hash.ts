import { createHash } from "node:crypto";
import { z } from "zod";
import { type BlockPlan, blockSpan, bytesOf } from "./arena-layout.js";

const hash16 = z.string().regex(/^[0-9a-f]{16}$/);
const whole = z.number().int().nonnegative();

/** State after the last step of an epoch: one hash per block. */
export const EpochBlockHashesSchema = z.object({
  epoch: whole,
  /** Updates since the start of the job. */
  step: whole,
  parameters: z.array(hash16),
  /** One list per state arena of the optimizer. */
  state: z.array(z.array(hash16)),
});
export type EpochBlockHashes = z.infer<typeof EpochBlockHashesSchema>;

/** What a worker's replicas computed in one step, and the parameters that the step led to. */
export const ReplicaBlockHashesSchema = z.object({
  epoch: whole,
  step: whole,
  replicas: z.array(
    z.object({
      replica: whole,
      /** Hash of its micro-batches, one after the other, as they were fed to the engine. */
      rows: hash16,
      gradients: z.array(hash16),
    }),
  ),
  /** After the update; sent by rank 0 only. */
  parameters: z.array(hash16).nullable(),
});
export type ReplicaBlockHashes = z.infer<typeof ReplicaBlockHashesSchema>;

/** First 16 hex digits of the SHA-256 of each block of an arena, padding included (it is zero on every worker). */
export function hashBlocks(arena: Float32Array, plan: BlockPlan): string[] {
  return Array.from({ length: plan.blockCount }, (_, index) => {
    const { from, to } = blockSpan(plan, index);
    return new ShortHash().add([arena.subarray(from, to)]).take();
  });
}

/** First 16 hex digits of the SHA-256 over the bytes of arrays, one after the other. */
export class ShortHash {
  #hash = createHash("sha256");

  add(arrays: readonly (Float32Array | Uint32Array)[]): this {
    for (const array of arrays) this.#hash.update(bytesOf(array));
    return this;
  }

  /** Of what was added since the last call. */
  take(): string {
    const taken = this.#hash.digest("hex").slice(0, 16);
    this.#hash = createHash("sha256");
    return taken;
  }
}
