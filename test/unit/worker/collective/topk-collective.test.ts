import { beforeAll, describe, expect, it } from "vitest";
import { blockPlan } from "../../../../shared/arena-layout.js";
import { arcOf } from "../../../../shared/epoch-plan.js";
import type { Collective, Exchange, ExchangeBuffers } from "../../../../worker/collective/collective.js";
import { createCollective } from "../../../../worker/collective/create-collective.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { connectRing, LAYOUT_HASH } from "../../../support/exchange-group.js";
import { MemoryRingNetwork } from "../../../support/memory-ring-transport.js";

const REPLICAS = 4;
const LENGTH = 64;
/** The last 16 floats are moments of running statistics. */
const TRAINABLE = 48;
const COUNT = 5;
const SCALARS = 3;
const { signal } = new AbortController();
let kernels: WebAssembly.Module;

beforeAll(async () => {
  kernels = await compileKernels();
});

/** Of replica `replica` in exchange `sequence`: sizes far apart, so that another order of additions is seen. */
const gradient = (replica: number, sequence: number, index: number): number =>
  Math.fround(Math.sin(1 + index * 7.3 + replica * 1.7 + sequence * 0.9) * 10 ** ((index * 5 + replica) % 7));
/** Of exchange `sequence`: some are of short steps. */
const weightOf = (sequence: number): number => [1, 8, 1, 7 / 3, 1, 1][sequence] ?? 1;
const scalar = (replica: number, sequence: number, index: number): number => (replica + 1) / (index + 3) + sequence;

interface Worker {
  readonly collective: Collective;
  readonly memory: SharedMemory;
  readonly buffers: ExchangeBuffers;
  readonly first: number;
}

function group(workers: number): Worker[] {
  const network = new MemoryRingNetwork();
  const transports = Array.from({ length: workers }, () => network.bind());
  connectRing(transports);
  return transports.map((transport, rank) => {
    const memory = new SharedMemory();
    const { from, to } = arcOf(rank, workers, REPLICAS);
    const arena = () => memory.allocate(LENGTH * 4);
    const each = (make: () => number) => Array.from({ length: to - from }, make);
    const block = () => memory.allocate(SCALARS * 8);
    const buffers: ExchangeBuffers = {
      blocks: blockPlan(LENGTH, REPLICAS),
      scalarCount: SCALARS,
      ...{ gradients: each(arena), scalars: each(block), sums: [arena(), arena()], scalarSums: [block(), block()] },
      sparse: { count: COUNT, length: TRAINABLE, residuals: each(arena) },
    };
    const collective = createCollective({
      choice: workers === 1 ? "auto" : "ring",
      membership: { generation: 1, rank, worldSize: workers, replicas: REPLICAS },
      ...{ buffers, memory: memory.memory, transport, layoutHash: LAYOUT_HASH },
      kernels: instantiateKernels(kernels, memory.memory),
    });
    return { collective, memory, buffers, first: from };
  });
}

/** One exchange of all workers. @returns each one's totals */
async function exchange(workers: readonly Worker[], what: Exchange) {
  for (const { memory, buffers, first } of workers) {
    for (const [local, address] of buffers.gradients.entries()) {
      const wanted = what.source === undefined || what.source === first + local;
      memory.float32(address, LENGTH).forEach((_, index, values) => {
        values[index] = wanted ? gradient(first + local, what.sequence, index) : 0;
      });
    }
    for (const [local, address] of buffers.scalars.entries())
      memory.float64(address, SCALARS).forEach((_, index, values) => {
        values[index] = scalar(first + local, what.sequence, index);
      });
  }
  const reports = await Promise.all(workers.map(({ collective }) => collective.allReduce(what, signal)));
  const set = what.sequence % 2 === 0 ? 0 : 1;
  return workers.map(({ memory, collective: { totals } }, rank) => ({
    sums: [...memory.float32(totals.sums[set], LENGTH)],
    scalars: [...memory.float64(totals.scalarSums[set], SCALARS)],
    sentBytes: reports[rank]?.sentBytes ?? Number.NaN,
  }));
}

/** What the same exchanges give by sorting, replica for replica. */
function reference(sequences: number): { sums: Float32Array; residuals: Float32Array[] }[] {
  const residuals = Array.from({ length: REPLICAS }, () => new Float32Array(TRAINABLE));
  return Array.from({ length: sequences }, (_, sequence) => {
    const sums = new Float32Array(LENGTH);
    for (const [replica, residual] of residuals.entries()) {
      for (const index of residual.keys())
        residual[index] = (residual[index] ?? 0) + gradient(replica, sequence, index) * weightOf(sequence);
      const order = [...residual.keys()].sort(
        (a, b) => Math.abs(residual[b] ?? 0) - Math.abs(residual[a] ?? 0) || a - b,
      );
      for (const index of order.slice(0, COUNT)) {
        sums[index] = (sums[index] ?? 0) + (residual[index] ?? 0);
        residual[index] = 0;
      }
      for (let index = TRAINABLE; index < LENGTH; index++)
        sums[index] = (sums[index] ?? 0) + gradient(replica, sequence, index);
    }
    return { sums: sums.slice(), residuals: residuals.map((residual) => residual.slice()) };
  });
}

describe("TopkCollective", () => {
  it.each([1, 2, 3, 4])(
    "on %d workers sums the largest of each replica, weighed, and keeps the rest for later",
    async (count) => {
      const workers = group(count);
      expect(workers.map(({ collective }) => collective.ordered)).not.toContain(true);
      const expected = reference(6);
      for (const [sequence, { sums, residuals }] of expected.entries()) {
        const totals = await exchange(workers, { sequence, withArena: true, weight: weightOf(sequence) });
        const scalars = Array.from({ length: SCALARS }, (_, index) =>
          [0, 1, 2, 3].reduce((sum, replica) => sum + scalar(replica, sequence, index), 0),
        );
        for (const total of totals)
          expect({ ...total, sentBytes: 0 }).toEqual({ sums: [...sums], scalars, sentBytes: 0 });
        for (const { memory, buffers, first } of workers)
          for (const [local, address] of (buffers.sparse?.residuals ?? []).entries())
            expect(memory.float32(address, TRAINABLE)).toEqual(residuals[first + local]);
      }
    },
  );

  it("brings one replica's gradients whole, to the bit, and leaves what is pending alone", async () => {
    const workers = group(3);
    await exchange(workers, { sequence: 0, withArena: true });
    const [{ residuals } = { residuals: [] }] = reference(1);
    for (const source of [3, 0, 2, 1]) {
      const sequence = 1 + [3, 0, 2, 1].indexOf(source);
      const whole = Array.from({ length: LENGTH }, (_, index) => gradient(source, sequence, index));
      for (const { sums } of await exchange(workers, { sequence, withArena: true, source }))
        expect(sums).toEqual(whole);
    }
    for (const { memory, buffers, first } of workers)
      expect(memory.float32(buffers.sparse?.residuals[0] ?? 0, TRAINABLE)).toEqual(residuals[first]);
  });

  it("sends the scalars alone where nothing else is asked for, and eight bytes for each element else", async () => {
    const workers = group(4);
    const [scalarsAlone] = await exchange(workers, { sequence: 0, withArena: false });
    expect(scalarsAlone?.sentBytes).toBe(3 * SCALARS * 8);
    const [withArena] = await exchange(workers, { sequence: 1, withArena: true });
    expect(withArena?.sentBytes).toBe(3 * (SCALARS * 8 + COUNT * 8 + (LENGTH - TRAINABLE) * 4));
  });
});
