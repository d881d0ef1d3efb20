import { describe, expect, it } from "vitest";
import { createCollective } from "../../../../worker/collective/create-collective.js";
import { expectation, measureCollectives, probeBuffers } from "../../../../worker/collective/start-probe.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { MirroredRingTransport } from "../../../../worker/transport/mirrored-ring-transport.js";
import type { RingTransport } from "../../../../worker/transport/ring-transport.js";
import {
  connectRing,
  contribute,
  createWorker,
  type GroupShape,
  type GroupWorker,
  LAYOUT_HASH,
  referenceTotals,
  totalsOf,
} from "../../../support/exchange-group.js";
import { MemoryRingNetwork } from "../../../support/memory-ring-transport.js";
import { firstDifference } from "../../../support/reference-fold.js";

const never = new AbortController().signal;
const SHAPE: GroupShape = { workers: 3, replicas: 4, paddedLength: 40_000, scalarCount: 4 };

async function group(shape: GroupShape = SHAPE) {
  const network = new MemoryRingNetwork();
  const transports = Array.from({ length: shape.workers }, () => network.bind());
  connectRing(transports);
  const workers = transports.map((transport, rank) => createWorker({ ...shape, rank, transport }));
  return { transports, workers: await Promise.all(workers) };
}

async function measure(worker: GroupWorker, link: RingTransport, signal = never) {
  const { membership, buffers } = worker;
  const { memory } = worker.memory;
  const probed = probeBuffers(buffers);
  const kernels = instantiateKernels(await compileKernels(), memory);
  const general = { membership, buffers: probed, memory, kernels, layoutHash: LAYOUT_HASH };
  const mirrored = new MirroredRingTransport({ link, outgoing: null, incoming: null });
  const candidates = [
    createCollective({ ...general, choice: "hierarchical", transport: mirrored }),
    createCollective({ ...general, choice: "ring", transport: link }),
  ];
  return measureCollectives({ candidates, buffers, probed, memory }, signal);
}

describe("measureCollectives", () => {
  it("brings all workers to one choice, and leaves links and buffers as the job needs them", async () => {
    const { transports, workers } = await group();
    const choices = await Promise.all(workers.map((worker, rank) => measure(worker, transports[rank]!)));
    const [choice] = choices;
    for (const other of choices) expect(other).toEqual(choice);
    expect(choice?.candidates.map(({ collective }) => collective)).toEqual(["hierarchical", "ring"]);
    expect(choice?.payloadBytes).toBe(4 * SHAPE.paddedLength);
    const least = Math.min(...choices.flatMap(({ candidates }) => candidates.map(({ expectedMs }) => expectedMs)));
    expect(choice?.candidates.find(({ collective }) => collective === choice.collective)?.expectedMs).toBe(least);
    for (const { buffers, memory } of workers) {
      for (const address of buffers.scalars) expect([...memory.float64(address, 4)]).toEqual([0, 0, 0, 0]);
    }
    for (const sequence of [0, 1, 2]) {
      const exchange = { sequence, withArena: true };
      const reference = referenceTotals(SHAPE, sequence);
      await Promise.all(
        workers.map(async (worker) => {
          contribute(worker, SHAPE, exchange);
          await worker.collective.allReduce(exchange, never);
          const totals = totalsOf(worker, SHAPE, exchange);
          expect(firstDifference(totals.sums, reference.sums)).toBe(-1);
          expect(firstDifference(totals.scalarSums, reference.scalarSums)).toBe(-1);
        }),
      );
    }
  });

  it("ends with the reason when it is called off while others don't take part", async () => {
    const { transports, workers } = await group();
    const controller = new AbortController();
    const waiting = measure(workers[0]!, transports[0]!, controller.signal);
    const reason = new Error("called off");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("refuses a job without room for the figures", async () => {
    const { transports, workers } = await group({ ...SHAPE, paddedLength: 16, scalarCount: 2 });
    await expect(measure(workers[0]!, transports[0]!)).rejects.toThrow(
      "figures are agreed on in 3 scalars, there are 2",
    );
  });
});

describe("probeBuffers", () => {
  it("takes at most 2 MiB of an arena, cut as the job cuts it", () => {
    const blocks = { blockLength: 65_536, blockCount: 16, paddedLength: 2 ** 20 };
    const buffers = { blocks, scalarCount: 4, gradients: [], scalars: [], scratch: 0 };
    const probed = probeBuffers({ ...buffers, sums: [0, 0], scalarSums: [0, 0] });
    expect(probed.blocks).toEqual({ blockLength: 65_536, blockCount: 8, paddedLength: 2 ** 19 });
    const small = { ...blocks, blockCount: 1, paddedLength: 48 };
    expect(probeBuffers({ ...probed, blocks: small }).blocks).toEqual(small);
  });
});

describe("expectation", () => {
  it("adds to the latency what moving the whole payload takes", () => {
    const sizes = { payloadBytes: 8_000_000, probedBytes: 2_000_000 };
    expect(expectation("ring", { latencyMs: 0.5, arenaMs: 2.5 }, sizes)).toEqual({
      collective: "ring",
      latencyMs: 0.5,
      bandwidthBps: 1e9,
      expectedMs: 8.5,
    });
  });

  it("names no bandwidth where latency is all that can be seen", () => {
    const sizes = { payloadBytes: 64, probedBytes: 64 };
    expect(expectation("shm", { latencyMs: 0.5, arenaMs: 0.6 }, sizes)).toMatchObject({ bandwidthBps: null });
    const large = { payloadBytes: 2 ** 21, probedBytes: 2 ** 21 };
    expect(expectation("shm", { latencyMs: 0.5, arenaMs: 0.4 }, large)).toMatchObject({
      bandwidthBps: null,
      expectedMs: 0.5,
    });
  });
});
