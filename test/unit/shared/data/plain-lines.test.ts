import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CsvRecord } from "../../../../shared/data/csv-source.js";
import { PlainLines } from "../../../../shared/data/plain-lines.js";

/** Gives the text piece by piece. */
function split(pieces: readonly Buffer[]): CsvRecord[] {
  const plain = new PlainLines();
  return [...pieces.flatMap((piece) => plain.take(piece)), ...plain.finish()];
}

describe("PlainLines", () => {
  it("gives the same records wherever the pieces end: in a line end, a character, the byte-order mark", () => {
    const text = fc.array(fc.constantFrom("1", ",", "é€", "\n", "\r\n", "\r", " "), { maxLength: 30 });
    const cuts = fc.array(fc.nat(60), { maxLength: 8 });
    fc.assert(
      fc.property(text, fc.boolean(), cuts, (parts, mark, places) => {
        const bytes = Buffer.from((mark ? "\ufeff" : "") + parts.join(""));
        const ends = [...places.filter((place) => place < bytes.length), bytes.length].sort((a, b) => a - b);
        const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(split(pieces)).toEqual(split([bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  it("counts a line end that is cut in two once", () => {
    expect(split([Buffer.from("1,2\r"), Buffer.from("\n3,4\r\n")])).toEqual([
      { line: 1, fields: ["1", "2"] },
      { line: 2, fields: ["3", "4"] },
    ]);
  });

  it("holds the unfinished line and knows its number", () => {
    const plain = new PlainLines();
    expect(plain.take(Buffer.from("1\n\n2,"))).toEqual([{ line: 1, fields: ["1"] }]);
    expect(plain.nextLine).toBe(3);
    expect(plain.rest.toString()).toBe("2,");
    expect(plain.finish()).toEqual([{ line: 3, fields: ["2", ""] }]);
    expect(plain.finish()).toEqual([]);
  });
});
