import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../../bench/simulate/collective-models.js";
import { stepCurve, stepPoint } from "../../../../bench/simulate/training-step.js";

const FREE = { alphaS: 0, betaSPerByte: 0, gammaSPerByte: 0 };
const NET = { alphaS: 1e-5, betaSPerByte: 1e-9, gammaSPerByte: 0 };
const WORK = { payloadBytes: 1e8, computeS: 0.1, stragglerShare: 0 };
const cluster = (workers: number, network = NET): Cluster => ({ workers, workersPerHost: 4, network, memory: FREE });

describe("stepPoint", () => {
  it("is fully efficient when exchanging is free and nobody straggles", () => {
    expect(stepPoint("ring", cluster(64, FREE), WORK)).toEqual({
      workers: 64,
      stepS: 0.1,
      exchangeS: 0,
      efficiency: 1,
    });
  });

  it("adds the exchange to the computation", () => {
    const { stepS, exchangeS, efficiency } = stepPoint("ring", cluster(2), WORK);
    expect(exchangeS).toBeCloseTo(2e-5 + 0.1, 9);
    expect(stepS).toBeCloseTo(0.1 + exchangeS, 12);
    expect(efficiency).toBeCloseTo(0.1 / stepS, 12);
  });

  it("waits for the slowest of all: more workers, longer delays", () => {
    const late = { ...WORK, stragglerShare: 0.1 };
    const [one, two, four] = [1, 2, 4].map((workers) => stepPoint("ring", cluster(workers, FREE), late).stepS);
    expect(one).toBeCloseTo(0.11, 12);
    expect(two).toBeCloseTo(0.1 * (1 + 0.1 * 1.5), 12);
    expect(four).toBeCloseTo(0.1 * (1 + 0.1 * (1 + 1 / 2 + 1 / 3 + 1 / 4)), 12);
    expect(stepPoint("ring", cluster(1, FREE), late).efficiency).toBeCloseTo(1, 12);
  });

  it("a curve ends where its model does", () => {
    const all = [2, 4, 8, 16].map((workers) => cluster(workers));
    expect(stepCurve("shm", all, WORK).map(({ workers }) => workers)).toEqual([2, 4]);
    expect(stepCurve("ring", all, WORK)).toHaveLength(4);
  });
});
