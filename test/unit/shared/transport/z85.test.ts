import { describe, expect, it } from "vitest";
import { z85 } from "../../../../shared/transport/z85.js";

describe("z85", () => {
  it("writes the specification's example, wherever the bytes lie", () => {
    const bytes = Uint8Array.of(0, 0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);
    expect(z85(bytes.subarray(1))).toBe("HelloWorld");
  });

  it("writes the largest and the smallest group", () => {
    expect(z85(Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255))).toBe("00000%nSc0");
  });

  it("refuses what is no multiple of four bytes", () => {
    expect(() => z85(new Uint8Array(7))).toThrow(new RangeError("7 bytes are no multiple of 4"));
  });
});
