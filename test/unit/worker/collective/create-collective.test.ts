import { describe, expect, it } from "vitest";
import { blockPlan } from "../../../../shared/arena-layout.js";
import type { ExchangeBuffers } from "../../../../worker/collective/collective.js";
import {
  type CollectiveOptions,
  createCollective,
  createLocalCollective,
} from "../../../../worker/collective/create-collective.js";
import { windowPlaces } from "../../../../worker/collective/exchange-window.js";
import { createWorker, LAYOUT_HASH } from "../../../support/exchange-group.js";
import { MemoryRingNetwork } from "../../../support/memory-ring-transport.js";

const never = new AbortController().signal;

function options(worldSize: number, localReplicas: number): CollectiveOptions {
  const buffers: ExchangeBuffers = {
    blocks: blockPlan(16, 2),
    scalarCount: 0,
    gradients: Array.from({ length: localReplicas }, () => 64),
    scalars: Array.from({ length: localReplicas }, () => 64),
    sums: [128, 192],
    scalarSums: [256, 256],
  };
  return {
    choice: "auto",
    membership: { generation: 1, rank: 0, worldSize, replicas: 2 },
    buffers,
    memory: { buffer: new SharedArrayBuffer(1024) },
    kernels: {
      ...{ add: () => undefined },
      ...{ packBf16: () => undefined, addBf16: () => undefined, unpackBf16: () => undefined },
      ...{ packFp16: () => undefined, addFp16: () => undefined, unpackFp16: () => undefined },
    },
    transport: new MemoryRingNetwork().bind(),
    layoutHash: LAYOUT_HASH,
  };
}

describe("createCollective", () => {
  it.each([
    [1, "auto", "local"],
    [1, "local", "local"],
    [1, "ring", "local"],
    [2, "auto", "ring"],
    [2, "ring", "ring"],
    [2, "shm", "shm"],
    [2, "hierarchical", "hierarchical"],
  ] as const)("takes for %i workers and --collective %s: %s", (worldSize, choice, name) => {
    const given = options(worldSize, 3 - worldSize);
    const window = windowPlaces({ ...given.buffers, replicas: 2 }, 0);
    const memory = { buffer: new SharedArrayBuffer(window.sizeBytes) };
    const collective = createCollective({ ...given, memory, choice, window });
    expect([collective.name, collective.ordered]).toEqual([name, true]);
  });

  it("refuses a local collective of several workers, with the choices that there are", () => {
    expect(() => createCollective({ ...options(2, 1), choice: "local" })).toThrowError(
      expect.objectContaining({
        failure: {
          code: "CHOICE_UNSUPPORTED",
          option: "--collective",
          value: "local",
          supported: ["auto", "ring", "shm", "hierarchical", "mpi", "parameter-server"],
          remedy: "Use --workers 1, or --collective ring for 2 workers",
        },
      }),
    );
  });

  it("refuses buffers that don't match the arc, a missing transport, and several workers as one", () => {
    expect(() => createCollective(options(1, 1))).toThrow(
      "1 gradient arenas and 1 scalar blocks for the 2 replicas 0..1",
    );
    expect(() => createCollective({ ...options(2, 1), transport: null })).toThrow(
      "a ring of 2 workers needs a transport",
    );
    expect(() => createCollective({ ...options(2, 1), choice: "shm" })).toThrow("shared memory needs a window");
    expect(() => createLocalCollective(options(2, 1))).toThrow("a local collective of 2 workers");
  });
});

describe("local collective", () => {
  it("does not begin an exchange that is called off already", async () => {
    const shape = { workers: 1, replicas: 2, paddedLength: 16, scalarCount: 1 };
    const { collective } = await createWorker({ ...shape, rank: 0, transport: null });
    const reason = new Error("called off");
    await expect(collective.allReduce({ sequence: 0, withArena: true }, AbortSignal.abort(reason))).rejects.toBe(
      reason,
    );
    await expect(collective.allReduce({ sequence: 0, withArena: true }, never)).rejects.toMatchObject({
      failure: { code: "INTERNAL" },
      cause: reason,
    });
  });

  it("stops between blocks when called off in the middle of a large arena", async () => {
    const shape = { workers: 1, replicas: 2, paddedLength: 2 ** 22, scalarCount: 1 };
    const { collective } = await createWorker({ ...shape, rank: 0, transport: null });
    const controller = new AbortController();
    const waiting = collective.allReduce({ sequence: 0, withArena: true }, controller.signal);
    const reason = new Error("called off");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
