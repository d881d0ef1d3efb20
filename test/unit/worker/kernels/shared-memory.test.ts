import process from "node:process";
import { describe, expect, it } from "vitest";
import { RingstrasseError } from "../../../../shared/failure.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";

describe("SharedMemory", () => {
  it("hands out aligned, zeroed buffers that do not overlap", () => {
    const memory = new SharedMemory();
    const sizes = [1, 64, 100, 4096, 12];
    const addresses = sizes.map((size) => memory.allocate(size));
    for (const [i, address] of addresses.entries()) {
      expect(address % 64).toBe(0);
      expect(address).toBeGreaterThan(0);
      if (i > 0) expect(address).toBeGreaterThanOrEqual(addresses[i - 1]! + sizes[i - 1]!);
    }
    expect(memory.float32(addresses[2]!, 25).every((value) => value === 0)).toBe(true);
    expect(memory.allocate(8, 4096) % 4096).toBe(0);
  });

  it("keeps older views valid when it grows", () => {
    const memory = new SharedMemory();
    const address = memory.allocate(32);
    const before = memory.float64(address, 4);
    before[3] = 7.5;
    const large = memory.allocate(10_000_000);
    memory.float32(large, 2_500_000)[2_499_999] = 3;
    before[2] = -1;
    expect(memory.float64(address, 4)[3]).toBe(7.5);
    expect(memory.float64(address, 4)[2]).toBe(-1);
    expect(memory.memory.buffer.byteLength).toBeGreaterThanOrEqual(large + 10_000_000);
    expect(memory.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("takes everything back zeroed, and asks the system for nothing that was never written", () => {
    const memory = new SharedMemory();
    memory.float32(memory.allocate(4), 1).fill(1);
    const unused = 400_000_000;
    memory.allocate(unused);
    memory.float32(memory.allocate(4), 1).fill(2);
    const before = process.memoryUsage.rss();
    memory.reset();
    expect(process.memoryUsage.rss() - before).toBeLessThan(unused / 2);
    const bytes = new Uint8Array(memory.memory.buffer);
    expect([bytes.indexOf(0x3f), bytes.indexOf(0x40)]).toEqual([-1, -1]);
    expect(memory.usedBytes).toBeLessThan(2048);
  });

  it("refuses by name what exceeds 4 GiB, and can go on", () => {
    const memory = new SharedMemory();
    const ask = (): number => memory.allocate(5 * 2 ** 30);
    expect(ask).toThrow(RingstrasseError);
    expect(ask).toThrow(/5\.00 GiB of shared memory.*limit is 4 GiB.*more workers/);
    try {
      ask();
    } catch (error) {
      expect((error as RingstrasseError).failure.code).toBe("ENGINE_UNAVAILABLE");
    }
    const used = memory.usedBytes;
    expect(memory.allocate(16)).toBeGreaterThanOrEqual(used);
  });

  it("refuses sizes and alignments that can't be", () => {
    const memory = new SharedMemory();
    expect(() => memory.allocate(-1)).toThrow(/-1 bytes/);
    expect(() => memory.allocate(1.5)).toThrow(/1.5 bytes/);
    expect(() => memory.allocate(4, 48)).toThrow(/alignment 48/);
  });
});
