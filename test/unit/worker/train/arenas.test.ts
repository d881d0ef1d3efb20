import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArenaDemand } from "../../../../shared/arena-demand.js";
import { arenaLayout, blockPlan } from "../../../../shared/arena-layout.js";
import { arenaBytes } from "../../../../shared/arena-places.js";
import { createLocalCollective } from "../../../../worker/collective/create-collective.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { allocateArenas, viewTotals } from "../../../../worker/train/arenas.js";

const layout = arenaLayout([
  { name: "a/kernel", layer: 0, shape: [5, 7], initial: { kind: "constant", value: 0 } },
  { name: "a/bias", layer: 0, shape: [7], initial: { kind: "constant", value: 0 } },
]);
const blocks = blockPlan(layout.paddedLength, 1);

async function summed(isOnlyReplica: boolean) {
  const memory = new SharedMemory();
  const kernels = instantiateKernels(await compileKernels(), memory.memory);
  const arenas = allocateArenas(memory, { layout, blocks, localReplicas: 1, stateArenas: 0, isOnlyReplica });
  const membership = { generation: 0, rank: 0, worldSize: 1, replicas: 1 };
  const { exchange } = arenas;
  await using collective = createLocalCollective({ membership, buffers: exchange, memory: memory.memory, kernels });
  const { signal } = new AbortController();
  const results: number[][] = [];
  for (const sequence of [0, 1, 2]) {
    arenas.gradients[0]?.values.forEach((_, index, values) => {
      values[index] = (index - 3) / (sequence + 7);
    });
    arenas.scalars[0]?.fill(sequence + 0.5);
    await collective.allReduce({ sequence, withArena: true }, signal);
    const set = sequence % 2 === 0 ? 0 : 1;
    const { sums, scalarSums } = viewTotals(memory, arenas, collective.totals);
    results.push([...sums[set].values, ...scalarSums[set]]);
  }
  return { results, usedBytes: memory.usedBytes };
}

describe("allocateArenas", () => {
  it("folds the one replica of a job where it lies, to the same sums, in less memory", async () => {
    const [inPlace, copied] = [await summed(true), await summed(false)];
    expect(inPlace.results).toEqual(copied.results);
    expect(inPlace.results[0]?.[0]).toBe(Math.fround(-3 / 7));
    expect(copied.usedBytes - inPlace.usedBytes).toBe(2 * layout.paddedLength * 4);
  });

  it("refuses to take several replicas for one", () => {
    const demand = { layout, blocks, localReplicas: 2, stateArenas: 0, isOnlyReplica: true };
    expect(() => allocateArenas(new SharedMemory(), demand)).toThrow(/2 replicas are not one/);
  });

  it("takes the bytes that are known beforehand", () => {
    const memory = new SharedMemory();
    const demands = fc.record(
      {
        localReplicas: fc.integer({ min: 1, max: 4 }),
        stateArenas: fc.integer({ min: 0, max: 2 }),
        copyStateArenas: fc.integer({ min: 0, max: 2 }),
        scalarCount: fc.integer({ min: 4, max: 5000 }),
        accumulates: fc.boolean(),
        shared: fc.record({ replicas: fc.integer({ min: 6, max: 9 }), first: fc.integer({ min: 0, max: 2 }) }),
        format: fc.constantFrom("none", "bf16", "fp16"),
        topk: fc.integer({ min: 1, max: 40 }),
        receivesGradients: fc.boolean(),
        keepsParameters: fc.boolean(),
      },
      { requiredKeys: ["localReplicas", "stateArenas"] },
    );
    const property = fc.property(demands, (some) => {
      const demand: ArenaDemand = { layout, blocks, ...some };
      memory.reset();
      allocateArenas(memory, demand);
      expect(memory.usedBytes).toBe(arenaBytes(demand));
    });
    fc.assert(property);
  });
});
