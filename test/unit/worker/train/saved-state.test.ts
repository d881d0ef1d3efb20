import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockPlan, layoutOf } from "../../../../shared/arena-layout.js";
import { ModelSpecSchema } from "../../../../shared/model-spec.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { type Arenas, allocateArenas } from "../../../../worker/train/arenas.js";
import {
  packState,
  replicaStateBytes,
  replicaStateTensors,
  StateFiller,
  savedStateBytes,
} from "../../../../worker/train/saved-state.js";
import { stateSha256 } from "../../../../worker/train/state-hash.js";

const MODEL = ModelSpecSchema.parse({
  inputs: 3,
  layers: [
    { kind: "dense", name: "hidden", units: 5, activation: "linear", initialBias: 0 },
    { kind: "batchNorm", name: "norm", momentum: 0.9, epsilon: 1e-3 },
    { kind: "dropout", name: "drop", rate: 0.25 },
    { kind: "dense", name: "output", units: 2, activation: "softmax", initialBias: 0 },
  ],
  loss: "softmaxCrossEntropy",
  targets: { kind: "class", classes: 2 },
});

function arenas(stateArenas: number): Arenas {
  const layout = layoutOf(MODEL);
  const blocks = blockPlan(layout.paddedLength, 1);
  return allocateArenas(new SharedMemory(), { layout, blocks, localReplicas: 1, stateArenas, isOnlyReplica: true });
}

/** Another number everywhere, padding too. */
function filled(stateArenas: number): Arenas {
  const made = arenas(stateArenas);
  let next = 1;
  for (const pair of [made.parameters, ...made.state])
    for (const { values } of pair) for (const index of values.keys()) values[index] = next++ / 7;
  return made;
}

describe("a saved state", () => {
  it.each([0, 1, 2])("with %d state arenas comes back, whatever pieces it comes in", (stateArenas) => {
    const scale = [1024, 77, 3];
    fc.assert(
      fc.property(
        fc.constantFrom<0 | 1>(0, 1),
        fc.boolean(),
        fc.integer({ min: 1, max: 300 }),
        (current, scaled, size) => {
          const lossScale = scaled ? scale : [];
          const from = filled(stateArenas);
          const bytes = new Uint8Array(savedStateBytes(from, scaled));
          packState(from, current, lossScale, bytes);
          const to = arenas(stateArenas);
          const filler = new StateFiller(to, 0, scaled);
          for (let at = 0; at < bytes.byteLength; at += size) filler.add(bytes.subarray(at, at + size));
          expect(filler.lossScale).toEqual(lossScale);
          const hash = stateSha256(from, current, lossScale);
          expect(stateSha256(to, 0, filler.lossScale)).toBe(hash);
          // So a checkpoint's own hash is the one that the result would tell.
          expect(createHash("sha256").update(bytes).digest("hex")).toBe(hash);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("of replicas that have state of their own comes back to those who hold them, and to nobody else", () => {
    const layout = layoutOf(MODEL);
    const blocks = blockPlan(layout.paddedLength, 3);
    const make = (localReplicas: number) =>
      allocateArenas(new SharedMemory(), { layout, blocks, localReplicas, stateArenas: 1, copyStateArenas: 2 });
    const [all, second] = [make(3), make(1)];
    const tensors = replicaStateTensors(all, { from: 0, to: 3 }, 3);
    for (const [index, tensor] of tensors.entries()) tensor.fill(index + 0.5);
    const bytes = new Uint8Array(savedStateBytes(all, false) + replicaStateBytes(all, 3));
    const commonBytes = savedStateBytes(all, false);
    packState(all, 0, [], bytes.subarray(0, commonBytes));
    let at = commonBytes;
    for (const { buffer, byteOffset, byteLength } of tensors) {
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += byteLength;
    }
    expect(at).toBe(bytes.byteLength);
    const filler = new StateFiller(second, 0, false, replicaStateTensors(second, { from: 1, to: 2 }, 3));
    for (let from = 0; from < bytes.byteLength; from += 37) filler.add(bytes.subarray(from, from + 37));
    for (const [state, { values }] of (second.copies[0]?.state ?? []).entries())
      expect([...values]).toEqual([...(all.copies[1]?.state[state]?.values ?? [])]);
    expect(() => filler.add(new Uint8Array(4))).toThrow(/too many/);
  });

  it("leaves padding as it is", () => {
    const from = filled(1);
    const bytes = new Uint8Array(savedStateBytes(from, false));
    packState(from, 0, [], bytes);
    const to = arenas(1);
    new StateFiller(to, 0, false).add(bytes);
    const inside = new Set(
      [...to.layout.slots, ...to.layout.statistics].flatMap(({ offset, length }) =>
        Array.from({ length }, (_, index) => offset + index),
      ),
    );
    const padding = [...to.parameters[0].values].filter((_, index) => !inside.has(index));
    expect(padding.length).toBeGreaterThan(0);
    expect(padding.every((value) => value === 0)).toBe(true);
  });

  it("too long or too short is refused", () => {
    const from = filled(0);
    const length = savedStateBytes(from, false);
    expect(() => new StateFiller(from, 0, false).add(new Uint8Array(length + 4))).toThrow(/4 bytes of state too many/);
    expect(() => packState(from, 0, [1, 2, 3], new Uint8Array(length + 28))).toThrow(RangeError);
  });
});
