import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitLine, type MeasuredPoint, validate } from "../../../../bench/simulate/fit-costs.js";
import { hostScale, linkOfRing } from "../../../../bench/simulate/measured-host.js";

const SIZES = [4, 64, 1024, 65_536, 1_740_800, 26_214_400];
const line = (latencyUs: number, usPerByte: number) =>
  SIZES.map((bytes) => ({ bytes, microseconds: latencyUs + usPerByte * bytes }));
const unscaled = () => ({ latency: 1, perByte: 1 });

describe("fitLine", () => {
  it("finds the line that the points lie on, small and large sizes alike", () => {
    const latencies = fc.double({ min: 0.5, max: 1e4, noNaN: true });
    const perByte = fc.double({ min: 1e-5, max: 1e-2, noNaN: true });
    fc.assert(
      fc.property(latencies, perByte, (latencyUs, usPerByte) => {
        const found = fitLine(line(latencyUs, usPerByte));
        expect(found.latencyUs / latencyUs).toBeCloseTo(1, 6);
        expect(found.usPerByte / usPerByte).toBeCloseTo(1, 6);
      }),
    );
  });

  it("gives no machine a negative cost", () => {
    expect(
      fitLine([
        { bytes: 10, microseconds: 5 },
        { bytes: 1000, microseconds: 1 },
      ]).usPerByte,
    ).toBe(0);
    expect(
      fitLine([
        { bytes: 10, microseconds: 1 },
        { bytes: 20, microseconds: 10 },
      ]).latencyUs,
    ).toBe(0);
  });

  it("needs two points", () => {
    expect(() => fitLine([{ bytes: 1, microseconds: 1 }])).toThrow("a line through 1 points");
  });
});

describe("validate", () => {
  const measured: MeasuredPoint[] = line(100, 1e-3).map((point) => ({ system: "ring-tcp", ranks: 2, ...point }));

  it("tells the error at the points that were not fitted, and only there", () => {
    const off = measured.map((point, index) =>
      index === 3 ? { ...point, microseconds: point.microseconds * 2 } : point,
    );
    const [ring] = validate(off, unscaled);
    expect(ring?.points.map(({ bytes }) => bytes)).toEqual([64, 65_536, 26_214_400]);
    expect(ring?.points.map(({ error }) => Number(error.toFixed(6)))).toEqual([0, 0.5, 0]);
    expect(ring).toMatchObject({
      system: "ring-tcp",
      worstError: expect.closeTo(0.5, 6),
      medianError: expect.closeTo(0, 6),
    });
  });

  it("predicts other numbers of ranks by the model", () => {
    const four = line(300, 1.5e-3).map((point) => ({ system: "ring-tcp", ranks: 4, ...point }));
    const [ring] = validate([...measured, ...four], hostScale(16));
    expect(ring?.points.filter(({ ranks }) => ranks === 4)).toHaveLength(6);
    expect(ring?.worstError).toBeLessThan(1e-6);
    // On two cores four ranks take turns.
    expect(validate([...measured, ...four], hostScale(2))[0]?.worstError).toBeCloseTo(1, 6);
  });

  it("leaves out what has too few points", () => {
    expect(validate(measured.slice(0, 2), unscaled)).toEqual([]);
  });

  it("has no scale for systems that no model describes", () => {
    expect(() => hostScale(2)("unheard-of", 2, 4)).toThrow("no model describes unheard-of");
  });
});

describe("linkOfRing", () => {
  it("is the link whose ring takes that long", () => {
    const { alphaS, betaSPerByte } = linkOfRing({ latencyUs: 60, usPerByte: 3e-3 }, 4);
    expect([alphaS * 1e6, betaSPerByte * 1e6]).toEqual([expect.closeTo(10, 9), expect.closeTo(2e-3, 12)]);
  });
});
