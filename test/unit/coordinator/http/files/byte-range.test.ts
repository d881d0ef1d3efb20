import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readByteRange } from "../../../../../coordinator/http/files/byte-range.js";

describe("readByteRange", () => {
  it.each([
    ["bytes=0-3", { first: 0, last: 3 }],
    ["bytes=4-", { first: 4, last: 9 }],
    ["bytes=4-100", { first: 4, last: 9 }],
    ["bytes=-3", { first: 7, last: 9 }],
    ["bytes=-100", { first: 0, last: 9 }],
    ["BYTES=9-9", { first: 9, last: 9 }],
  ])("reads %s of ten bytes", (header, expected) => {
    expect(readByteRange(header, 10)).toEqual(expected);
  });

  it.each([undefined, "", "bytes=", "bytes=-", "lines=1-2", "bytes=1-2,4-5", "bytes=5-4", "bytes=a-b", "bytes=1 -2"])(
    "takes %j for no range at all",
    (header) => {
      expect(readByteRange(header, 10)).toBeNull();
    },
  );

  it.each([
    ["bytes=10-", 10],
    ["bytes=-0", 10],
    ["bytes=0-", 0],
    ["bytes=-5", 0],
    ["bytes=999999999999999-", 10],
  ])("finds %s unsatisfiable in %i bytes", (header, size) => {
    expect(readByteRange(header, size)).toBe("unsatisfiable");
  });

  it("never leaves the file", () => {
    const number = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 20 }), (from, to, size) => {
        const range = readByteRange(`bytes=${from}-${to}`, size);
        if (range === null || range === "unsatisfiable") return from >= size || to < from;
        return range.first === from && range.last <= to && range.last < size && range.first <= range.last;
      }),
    );
  });
});
