import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeHeader,
  encodeHeader,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  layoutTag,
} from "../../../../worker/collective/frame-header.js";

const sample: FrameHeader = {
  generation: 3,
  sequence: 70_000_000_000,
  block: 5,
  phase: "partial",
  folded: 2,
  payloadBytes: 262_144,
  sender: 1,
  layout: layoutTag("00ff".repeat(16)),
};

function broken(change: (view: DataView) => void): Uint8Array {
  const bytes = encodeHeader(sample);
  change(new DataView(bytes.buffer));
  return bytes;
}

describe("frame header", () => {
  it("comes back as it went, at any address", () => {
    const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const header = fc.record({
      generation: fc.maxSafeNat(),
      sequence: fc.maxSafeNat(),
      block: uint32,
      phase: fc.constantFrom("partial" as const, "total" as const),
      folded: uint32,
      payloadBytes: uint32,
      sender: uint32,
      layout: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    });
    fc.assert(
      fc.property(header, fc.integer({ min: 0, max: 9 }), (given, shift) => {
        const bytes = new Uint8Array(FRAME_HEADER_BYTES + 10);
        bytes.set(encodeHeader(given), shift);
        expect(decodeHeader(bytes.subarray(shift, shift + FRAME_HEADER_BYTES), "worker rank 1")).toEqual(given);
      }),
    );
  });

  it("has the bytes that other versions will read", () => {
    expect(Buffer.from(encodeHeader(sample)).toString("hex")).toBe(
      [
        "5253460100000000", // "RSF", version 1; partial
        "0000000000000003",
        "000000104c533c00",
        "0000000500000002",
        "0004000000000001",
        "00ff00ff00ff00ff",
      ].join(""),
    );
  });

  it.each([
    ["another length", encodeHeader(sample).subarray(1), "a frame header of 47 bytes, expected 48"],
    ["another magic", broken((view) => view.setUint32(0, 0x47455420)), "starts with 0x47455420, expected 0x52534601"],
    ["another version", broken((view) => view.setUint8(3, 2)), "starts with 0x52534602, expected 0x52534601"],
    ["an unknown phase", broken((view) => view.setUint32(4, 9)), "the unknown phase 9"],
  ])("refuses %s by name", (_, bytes, problem) => {
    expect(() => decodeHeader(bytes, "worker rank 1")).toThrowError(
      expect.objectContaining({
        failure: { code: "PROTOCOL_VIOLATION", from: "worker rank 1", problem: expect.stringContaining(problem) },
      }),
    );
  });

  it("takes hashes in hex only", () => {
    expect(layoutTag(`0000000000000010${"f".repeat(48)}`)).toBe(16n);
    expect(() => layoutTag("abc")).toThrow('"abc" is not a hash');
  });
});
