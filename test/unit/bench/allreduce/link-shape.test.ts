import { describe, expect, it } from "vitest";
import { burstBytes, describeLink, excessOver, readLinkShape } from "../../../../bench/allreduce/link-shape.js";

describe("readLinkShape", () => {
  it("reads a rate, and what is lost", () => {
    expect(readLinkShape("4")).toEqual({ gbps: 4, lossPercent: 0 });
    expect(readLinkShape("2.5:0.1")).toEqual({ gbps: 2.5, lossPercent: 0.1 });
    expect(describeLink(readLinkShape("2.5:0.1"))).toBe("2.5 Gbit/s, 0.1 % lost");
  });

  it.each(["", "0", "1:", "-1", "1:100", "1gbit"])("refuses %j and says what it takes", (text) => {
    expect(() => readLinkShape(text)).toThrow("GBPS:LOSS_PERCENT");
  });
});

describe("a link's bucket", () => {
  it("holds a millisecond's worth, and whatever the kernel hands down at once", () => {
    expect(burstBytes({ gbps: 4, lossPercent: 0 })).toBe(500_000);
    expect(burstBytes({ gbps: 0.1, lossPercent: 0 })).toBe(131_072);
  });
});

describe("excessOver", () => {
  const link = { gbps: 1, lossPercent: 0 };
  const row = { system: "gloo", bytes: 25e6, busbw: 0.12 };

  it("is none up to the rate, nor in messages that a bucket may hold", () => {
    expect(excessOver(link, row)).toBeNull();
    expect(excessOver(link, { ...row, bytes: 65_536, busbw: 3 })).toBeNull();
  });

  it("names who carried more than the link allows", () => {
    expect(excessOver(link, { ...row, busbw: 0.15 })).toBe(
      "gloo carried 1.20 Gbit/s at 25000000 bytes: the rate does not hold",
    );
  });
});
