import { describe, expect, it } from "vitest";
import { networkCosts } from "../../../../bench/simulate/link-costs.js";

const NETWORK = { gigabitsPerS: 25, latencyUs: 20, lossRate: 0 };

describe("networkCosts", () => {
  it("turns rate and latency into seconds", () => {
    expect(networkCosts(NETWORK, 1e-10)).toEqual({
      alphaS: 2e-5,
      betaSPerByte: 8 / 25e9,
      gammaSPerByte: 1e-10,
    });
  });

  it("loss costs waiting, and bandwidth once a connection can't fill the link any more", () => {
    const little = networkCosts({ ...NETWORK, lossRate: 1e-9 }, 0);
    expect(little.betaSPerByte).toBe(8 / 25e9);
    expect(little.alphaS).toBeGreaterThan(2e-5);
    // Mathis et al.: 1448 bytes / 40 µs · √1.5 / √0.01 = 443 MB/s.
    const much = networkCosts({ ...NETWORK, lossRate: 0.01 }, 0);
    expect(1 / much.betaSPerByte / 1e6).toBeCloseTo(443.4, 0);
    expect(much.alphaS).toBeCloseTo(2e-5 + (0.01 / 0.99) * 0.2, 9);
  });

  it.each([{ gigabitsPerS: 0 }, { latencyUs: 0 }, { lossRate: 1 }, { lossRate: -0.1 }, { lossRate: Number.NaN }])(
    "refuses %j",
    (wrong) => {
      expect(() => networkCosts({ ...NETWORK, ...wrong }, 0)).toThrow(RangeError);
    },
  );
});
