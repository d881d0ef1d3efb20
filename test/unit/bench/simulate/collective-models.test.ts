import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applies, type Cluster, COLLECTIVE_MODELS, MODEL_NAMES } from "../../../../bench/simulate/collective-models.js";
import type { LinkCosts } from "../../../../bench/simulate/link-costs.js";

const costs = fc.record<LinkCosts>({
  alphaS: fc.double({ min: 1e-7, max: 1e-2, noNaN: true }),
  betaSPerByte: fc.double({ min: 1e-12, max: 1e-7, noNaN: true }),
  gammaSPerByte: fc.double({ min: 1e-12, max: 1e-8, noNaN: true }),
});
const clusters = fc.record<Cluster>({
  workers: fc.integer({ min: 1, max: 4096 }),
  workersPerHost: fc.integer({ min: 1, max: 16 }),
  network: costs,
  memory: costs,
});
const sizes = fc.integer({ min: 1, max: 2 ** 30 });
const times = fc.double({ min: 1, max: 10, noNaN: true });

describe.each(MODEL_NAMES)("the model of %s", (name) => {
  const model = COLLECTIVE_MODELS[name];

  it("costs nothing with one worker, and something finite with more", () => {
    fc.assert(
      fc.property(sizes, clusters, (sizeBytes, cluster) => {
        expect(model(sizeBytes, { ...cluster, workers: 1 })).toBe(0);
        const seconds = model(sizeBytes, { ...cluster, workers: cluster.workers + 1 });
        expect(seconds).toBeGreaterThan(0);
        expect(Number.isFinite(seconds)).toBe(true);
      }),
    );
  });

  it("never gets faster when bytes, latency or time per byte grow", () => {
    fc.assert(
      fc.property(
        sizes,
        clusters,
        times,
        fc.constantFrom("alphaS", "betaSPerByte", "gammaSPerByte"),
        (n, cluster, by, cost) => {
          const before = model(n, cluster);
          const grown = (link: LinkCosts): LinkCosts => ({ ...link, [cost]: link[cost] * by });
          const after = model(n, { ...cluster, network: grown(cluster.network), memory: grown(cluster.memory) });
          expect(after).toBeGreaterThanOrEqual(before * (1 - 1e-12));
          expect(model(Math.ceil(n * by), cluster)).toBeGreaterThanOrEqual(before * (1 - 1e-12));
        },
      ),
    );
  });
});

const LINK: LinkCosts = { alphaS: 1e-5, betaSPerByte: 1e-9, gammaSPerByte: 0 };
const cluster = (workers: number, more: Partial<Cluster> = {}): Cluster => ({
  ...{ workers, workersPerHost: 1, network: LINK, memory: { alphaS: 1e-6, betaSPerByte: 1e-10, gammaSPerByte: 0 } },
  ...more,
});

describe("what is known of the algorithms", () => {
  it("a ring's time per byte goes to 2β, however many workers; its latency is 2(N − 1)α", () => {
    const free = { ...LINK, alphaS: 0 };
    for (const workers of [2, 8, 4096]) {
      const seconds = COLLECTIVE_MODELS.ring(1e9, cluster(workers, { network: free }));
      expect(seconds).toBeCloseTo((2 * (workers - 1)) / workers, 9);
      expect(seconds).toBeLessThan(2);
      expect(COLLECTIVE_MODELS.ring(0, cluster(workers))).toBeCloseTo(2e-5 * (workers - 1), 12);
    }
  });

  it("a parameter server's time grows with the workers, a ring's does not", () => {
    const [few, many] = [4, 64].map((workers) => COLLECTIVE_MODELS["parameter-server"](1e9, cluster(workers)));
    expect((many ?? 0) / (few ?? 1)).toBeCloseTo(63 / 3, 3);
  });

  it("a hierarchical ring is never slower than a flat one where memory is faster than the network", () => {
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 2, max: 512 }),
        fc.integer({ min: 1, max: 16 }),
        (n, workers, workersPerHost) => {
          const here = cluster(workers, { workersPerHost });
          expect(COLLECTIVE_MODELS.hierarchical(n, here)).toBeLessThanOrEqual(
            COLLECTIVE_MODELS.ring(n, here) * (1 + 1e-12),
          );
        },
      ),
    );
    const [flat, two] = [1, 2].map((workersPerHost) =>
      COLLECTIVE_MODELS.hierarchical(8, cluster(8, { workersPerHost })),
    );
    expect(two).toBeLessThan(flat ?? 0);
    expect(flat).toBe(COLLECTIVE_MODELS.ring(8, cluster(8)));
  });

  it("a tree beats a ring at small messages, and moves no less at large ones", () => {
    expect(COLLECTIVE_MODELS.tree(8, cluster(1024))).toBeLessThan(COLLECTIVE_MODELS.ring(8, cluster(1024)) / 50);
    const large = 1e9;
    expect(COLLECTIVE_MODELS.tree(large, cluster(3))).toBeGreaterThan(COLLECTIVE_MODELS.ring(large, cluster(3)));
  });

  it("shared memory copies nothing: a part of all is read, its sums are written once, and time falls with the workers", () => {
    const free = { ...LINK, alphaS: 0 };
    const seconds = [2, 4, 1000].map((workers) => COLLECTIVE_MODELS.shm(1e9, cluster(workers, { memory: free })));
    expect(seconds[0]).toBeCloseTo(3 / 2, 9);
    expect(seconds[1]).toBeCloseTo(5 / 4, 9);
    expect(seconds[2]).toBeCloseTo(1.001, 9);
    const additions = { alphaS: 0, betaSPerByte: 0, gammaSPerByte: 1e-9 };
    expect(COLLECTIVE_MODELS.shm(1e9, cluster(4, { memory: additions }))).toBeCloseTo(3 / 4, 9);
    // Two barriers, at which all speak at once.
    for (const workers of [2, 4]) expect(COLLECTIVE_MODELS.shm(0, cluster(workers))).toBeCloseTo(2e-6, 12);
  });

  it("shared memory ends at the host", () => {
    expect(applies("shm", cluster(4, { workersPerHost: 4 }))).toBe(true);
    expect(applies("shm", cluster(5, { workersPerHost: 4 }))).toBe(false);
    expect(applies("ring", cluster(5, { workersPerHost: 4 }))).toBe(true);
  });
});
