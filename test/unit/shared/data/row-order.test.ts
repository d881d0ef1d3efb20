import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRowOrder, type RowOrderKey, WHOLE_SHUFFLE_LIMIT_BYTES } from "../../../../shared/data/row-order.js";

function rowsOf(key: RowOrderKey): number[] {
  const rows = new Uint32Array(key.rowCount);
  createRowOrder(key).fill(0, key.rowCount, rows);
  return [...rows];
}

const ascending = (count: number) => Array.from({ length: count }, (_, row) => row);

/** Small orders of both kinds: rows of 16 to 200 KiB make blocks of 5 to 64 rows. */
const keys = fc.record({
  seed: fc.nat(),
  epoch: fc.nat(1000),
  rowCount: fc.integer({ min: 0, max: 3000 }),
  rowSizeBytes: fc.integer({ min: 16 * 1024, max: 200 * 1024 }),
  wholeShuffleLimitBytes: fc.constantFrom(0, WHOLE_SHUFFLE_LIMIT_BYTES),
});

describe("createRowOrder", () => {
  it("is a permutation, the same each time, read in any way", () => {
    fc.assert(
      fc.property(keys, fc.nat(), fc.nat(), (key, a, b) => {
        const rows = rowsOf(key);
        expect([...rows].sort((x, y) => x - y)).toEqual(ascending(key.rowCount));
        const order = createRowOrder(key);
        const [from, to] = [a % (key.rowCount + 1), b % (key.rowCount + 1)].sort((x, y) => x - y) as [number, number];
        const part = new Uint32Array(to - from);
        order.fill(from, to, part);
        expect([...part]).toEqual(rows.slice(from, to));
        if (to > from) {
          expect(order.rowAt(from)).toBe(rows[from]);
          expect(order.rowAt(to - 1)).toBe(rows[to - 1]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("differs by epoch and by seed, in both kinds", () => {
    for (const wholeShuffleLimitBytes of [0, WHOLE_SHUFFLE_LIMIT_BYTES]) {
      const key = { seed: 6, epoch: 1, rowCount: 1000, rowSizeBytes: 64 * 1024, wholeShuffleLimitBytes };
      const rows = rowsOf(key);
      expect(rows).not.toEqual(ascending(1000));
      expect(rowsOf({ ...key, epoch: 2 })).not.toEqual(rows);
      expect(rowsOf({ ...key, seed: 7 })).not.toEqual(rows);
    }
  });

  it("takes the second way above the limit only, which is 1 GiB", () => {
    const rowSizeBytes = 1024 ** 2;
    const whole = { seed: 1, epoch: 1, rowSizeBytes, rowCount: 1024 };
    expect(rowsOf(whole)).toEqual(rowsOf({ ...whole, wholeShuffleLimitBytes: Number.MAX_SAFE_INTEGER }));
    const above = { ...whole, rowCount: 1025 };
    expect(rowsOf(above)).toEqual(rowsOf({ ...above, wholeShuffleLimitBytes: 0 }));
    expect(rowsOf(above)).not.toEqual(rowsOf({ ...above, wholeShuffleLimitBytes: Number.MAX_SAFE_INTEGER }));
  });

  it("keeps blocks together within a window of 64 of them", () => {
    // 16 rows a block, 1024 a window.
    const key = { seed: 3, epoch: 1, rowCount: 4096 + 7, rowSizeBytes: 64 * 1024, wholeShuffleLimitBytes: 0 };
    const rows = rowsOf(key);
    const last = Math.floor((key.rowCount - 1) / 16);
    let start = 0;
    const windows: Set<number>[] = [];
    while (start < rows.length) {
      // The window that holds the short last block is nine rows shorter.
      const full = rows.slice(start, start + 1024);
      const short = rows.slice(start, start + 1024 - 9);
      const blocks = new Set(short.map((row) => Math.floor(row / 16)));
      const window = blocks.has(last) ? short : full;
      windows.push(new Set(window.map((row) => Math.floor(row / 16))));
      start += window.length;
    }
    expect(windows.map((blocks) => blocks.size)).toEqual([64, 64, 64, 64, 1]);
    expect(windows.reduce((sum, blocks) => sum + blocks.size, 0)).toBe(257);
    expect(new Set(windows.flatMap((blocks) => [...blocks])).size).toBe(257);
  });

  it("orders every way about equally often", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = rowsOf({ seed, epoch: 1, rowCount: 3, rowSizeBytes: 4 }).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Five standard deviations of a fair count.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
  });

  it("is frozen: these orders are part of every hash", () => {
    expect(rowsOf({ seed: 6, epoch: 1, rowCount: 8, rowSizeBytes: 20 })).toEqual([6, 5, 3, 4, 0, 2, 7, 1]);
    const key = { seed: 6, epoch: 1, rowCount: 8, rowSizeBytes: 512 * 1024, wholeShuffleLimitBytes: 0 };
    expect(rowsOf(key)).toEqual([7, 3, 4, 5, 0, 2, 1, 6]);
  });

  it("refuses positions outside", () => {
    for (const wholeShuffleLimitBytes of [0, WHOLE_SHUFFLE_LIMIT_BYTES]) {
      const order = createRowOrder({ seed: 0, epoch: 0, rowCount: 5, rowSizeBytes: 1024, wholeShuffleLimitBytes });
      expect(() => order.rowAt(5)).toThrow(RangeError);
      expect(() => order.rowAt(-1)).toThrow(RangeError);
      expect(() => order.fill(3, 6, new Uint32Array(3))).toThrow(RangeError);
      expect(() => order.fill(3, 2, new Uint32Array(3))).toThrow(RangeError);
    }
    expect(() => createRowOrder({ seed: 0, epoch: 0, rowCount: 2 ** 32 + 1, rowSizeBytes: 4 })).toThrow(RangeError);
  });
});
