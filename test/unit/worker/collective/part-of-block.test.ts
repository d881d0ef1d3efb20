import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partOfBlock } from "../../../../worker/collective/part-of-block.js";

describe("partOfBlock", () => {
  it("cuts every block once, between cache lines, into shares that differ by a line at most", () => {
    const anyLength = fc.integer({ min: 1, max: 70_000 });
    fc.assert(
      fc.property(anyLength, fc.integer({ min: 1, max: 16 }), (length, workers) => {
        const parts = Array.from({ length: workers }, (_, rank) => partOfBlock(length, rank, workers));
        expect(parts[0]?.from).toBe(0);
        expect(parts.at(-1)?.to).toBe(length);
        for (const [rank, { from, to }] of parts.entries()) {
          expect(from % 16 === 0 || from === length).toBe(true);
          expect(to).toBeGreaterThanOrEqual(from);
          if (rank > 0) expect(from).toBe(parts[rank - 1]?.to);
        }
        const lines = parts.map(({ from, to }) => Math.ceil((to - from) / 16));
        expect(Math.max(...lines) - Math.min(...lines)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
