import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { float32Field, looksNumeric } from "../../../../shared/data/csv-number.js";
import { type CsvRecord, readCsv } from "../../../../shared/data/csv-source.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function read(content: string | Uint8Array): Promise<CsvRecord[]> {
  const path = join(await temporaryDirectory(), "data.csv");
  await writeFile(path, content);
  const records: CsvRecord[] = [];
  for await (const batch of readCsv(path)) records.push(...batch);
  return records;
}

const invalid = (content: string | Uint8Array) => failureWithCode("DATA_INVALID", () => read(content));
const fieldsOf = (records: readonly CsvRecord[]) => records.map((record) => record.fields);
const linesOf = (records: readonly CsvRecord[]) => records.map((record) => record.line);

describe("readCsv", () => {
  it("reads plain rows with their lines", async () => {
    expect(await read("1,2\n3,4\n")).toEqual([
      { line: 1, fields: ["1", "2"] },
      { line: 2, fields: ["3", "4"] },
    ]);
  });

  it("takes line ends of any kind, a missing last one, blank lines and a byte-order mark", async () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const records = await read(`\ufeff${["1,2", "", "  ", "3,4"].join(end)}`);
      expect(fieldsOf(records), JSON.stringify(end)).toEqual([
        ["1", "2"],
        ["3", "4"],
      ]);
      expect(linesOf(records), JSON.stringify(end)).toEqual([1, 4]);
    }
  });

  it("takes quotes, and keeps count of lines inside them", async () => {
    const records = await read('"a, b",1\r\n"two\r\nlines\nor three",2\r\n"say ""hi""", 3 \r\n\r\nx,4\r\n');
    expect(fieldsOf(records)).toEqual([
      ["a, b", "1"],
      ["two\r\nlines\nor three", "2"],
      ['say "hi"', "3"],
      ["x", "4"],
    ]);
    expect(linesOf(records)).toEqual([1, 2, 5, 7]);
  });

  it("leaves a header out, and only a header", async () => {
    expect(fieldsOf(await read("width,kind\n1,a\n"))).toEqual([["1", "a"]]);
    expect(linesOf(await read("\nwidth,kind\n1,a\n"))).toEqual([3]);
    // A number in the first row: data.
    expect(fieldsOf(await read("1,kind\n2,a\n"))).toHaveLength(2);
    // No number in the second: both are data.
    expect(fieldsOf(await read("a,b\nc,d\n"))).toHaveLength(2);
    expect(fieldsOf(await read("5,a\n"))).toHaveLength(1);
  });

  it.each([
    ["0,1,2", "5.1,3.5,7"],
    ["0,1,label", "5.1,3.5,a"],
    ["0,1,label", "1,0,1"],
    ["0,1,2", "1,0,7"],
    ["0,1,2,3,4", "1,0,2,3,4"],
    ["0,1,2", "nan,1,2"],
  ])("leaves out %j above %j: it counts the columns, as pandas does", async (header, row) => {
    expect(fieldsOf(await read(`${header}\n${row}\n`))).toEqual([row.split(",")]);
  });

  it.each([
    ["0,1", "1,3"],
    ["0,1,2", "1,2,3"],
    ["0,1,2", "3,4,5"],
    ["0,1,2", "1,0,2"],
    ["0,1,yes", "1,0,yes"],
    ["0.0,1,2", "5.1,3.5,7"],
    ["0,1,3", "5.1,3.5,7"],
    ["1,2,3", "5.1,3.5,7"],
    ["0,1,2", "5.1,x,7"],
    ["0,b,a", "5,b,a"],
    ["b,1,2", "a,3,4"],
  ])("keeps %j above %j: it may be a row", async (first, second) => {
    expect(fieldsOf(await read(`${first}\n${second}\n`))).toHaveLength(2);
  });

  it.each([
    [",a,b", "0,5,6"],
    ['"","a","b"', '"1",5,6'],
    [",0,1,2", "0,5.1,3.5,1"],
  ])("refuses %j above %j: numbers of rows are no feature", async (header, row) => {
    const failure = await invalid(`\n${header}\n${row}\n`);
    expect(failure).toMatchObject({ row: 2, column: 0 });
    expect(failure.problem).toContain("no name for the first column");
    expect(failure.remedy).toContain("index=False");
  });

  it("tells the names of a header", async () => {
    const path = join(await temporaryDirectory(), "data.csv");
    const namesIn = async (content: string) => {
      await writeFile(path, content);
      const told: (readonly string[])[] = [];
      for await (const _ of readCsv(path, undefined, (names) => told.push(names)));
      return told;
    };
    expect(await namesIn("width, kind\n1,a\n")).toEqual([["width", "kind"]]);
    expect(await namesIn("1,a\n2,b\n")).toEqual([]);
  });

  it("unpacks gzip, whatever the name", async () => {
    expect(fieldsOf(await read(gzipSync("x,y\n1,2\n")))).toEqual([["1", "2"]]);
  });

  it("names the row and column of a ragged row, short or long, after having yielded those before it", async () => {
    const short = await invalid("1,2,3\n4,5,6\n7,8\n9\n");
    expect(short).toMatchObject({ row: 3, column: 2 });
    expect(short.problem).toContain("2 fields, expected 3");
    expect(await invalid("x,y\n1,2\n3,4,5\n")).toMatchObject({ row: 3, column: 2 });

    const path = join(await temporaryDirectory(), "data.csv");
    await writeFile(path, "1,2\n3,4\n5\n");
    const seen: number[] = [];
    await failureWithCode("DATA_INVALID", async () => {
      for await (const batch of readCsv(path)) seen.push(...linesOf(batch));
    });
    expect(seen).toEqual([1, 2]);
  });

  it("refuses an empty file and one with only a header", async () => {
    expect((await invalid("")).problem).toContain("empty");
    expect((await invalid("\n \n\n")).problem).toContain("empty");
    const header = await invalid("\nwidth,height,kind\n");
    expect(header).toMatchObject({ row: 2 });
    expect(header.problem).toContain("header");
  });

  it("names the row in which a quote is opened and never closed", async () => {
    const failure = await invalid('1,a\n2,b\n3,"c\n4,d\n5,e\n');
    expect(failure).toMatchObject({ row: 3, column: 1 });
    expect(failure.problem).toContain("never closed");
    expect(failure.remedy).toContain("quote");
  });

  it("names the row of quotes in the wrong place", async () => {
    expect(await invalid('1,2\n3,"4"5\n')).toMatchObject({ row: 2, column: 1 });
    expect(await invalid('1,2\n3,4"5\n')).toMatchObject({ row: 2, column: 1 });
    expect(await invalid('1,2\n3,"4" 5\n')).toMatchObject({ row: 2, column: 1 });
  });

  it("stops a quote that swallows the file before it fills the memory", async () => {
    const failure = await invalid(`1,2\n"${"x,\n".repeat(6_000_000)}`);
    expect(failure.row).toBe(2);
    expect(failure.problem).toContain("longer than");
  });

  it("names the row of invalid UTF-8, of a character cut off at the end too", async () => {
    const bytes = Buffer.concat([Buffer.from("1,é\n2,b\n3,"), Buffer.from([0xe9]), Buffer.from("\n4,d\n")]);
    const failure = await invalid(bytes);
    expect(failure).toMatchObject({ row: 3 });
    expect(failure.remedy).toContain("UTF-8");
    expect(await invalid(Buffer.from([0x31, 0x2c, 0xe2, 0x82]))).toMatchObject({ row: 1 });
    // 300,000 bytes: the euro sign lies across two pieces of the file.
    const long = await read(`${"1,€€€\n".repeat(30_000)}`);
    expect(long.length).toBe(30_000);
    expect(long.every((record) => record.fields[1] === "€€€")).toBe(true);
  });

  it("refuses damaged gzip", async () => {
    const packed = gzipSync("1,2\n".repeat(1000));
    expect((await invalid(packed.subarray(0, packed.length - 12))).problem).toContain("gzip");
  });

  it("says which file is missing, a folder, or below a file", async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, "file"), "1,2\n");
    const readPath = async (path: string) => {
      for await (const _ of readCsv(path));
    };
    const missing = await failureWithCode("INPUT_MISSING", () => readPath(join(folder, "no.csv")));
    expect(missing.file).toBe(join(folder, "no.csv"));
    expect(missing.problem).toContain("no such file");
    expect((await failureWithCode("INPUT_MISSING", () => readPath(folder))).problem).toContain("folder");
    expect((await failureWithCode("INPUT_MISSING", () => readPath(join(folder, "file", "x")))).problem).toContain(
      "not a folder",
    );
  });

  it("stops with the signal's reason", async () => {
    const path = join(await temporaryDirectory(), "data.csv");
    await writeFile(path, "1,2\n".repeat(200_000));
    const abort = new AbortController();
    const reason = new Error("enough");
    await expect(async () => {
      for await (const _ of readCsv(path, abort.signal)) abort.abort(reason);
    }).rejects.toBe(reason);
  });

  it("gives back any table, whatever is in its fields", async () => {
    const field = fc.oneof(
      fc.stringMatching(/^[a-z0-9.,"é€\n\r ]{0,8}$/).map((text) => text.trim()),
      fc.integer().map(String),
    );
    const table = fc.integer({ min: 1, max: 5 }).chain((columns) =>
      // No number of the first column is 0, which might begin a header.
      fc.array(fc.tuple(fc.integer({ min: 1 }).map(String), ...Array.from({ length: columns }, () => field)), {
        minLength: 1,
        maxLength: 8,
      }),
    );
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom("\n", "\r\n"), async (rows, end) => {
        const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(",")).join(end);
        const records = await read(text);
        expect(fieldsOf(records)).toEqual(rows);
        let line = 1;
        for (const [index, row] of rows.entries()) {
          expect(records[index]?.line).toBe(line);
          line += 1 + (row.join("|").match(/\r\n|\r|\n/g) ?? []).length;
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("readCsv without quotes", () => {
  const field = fc.oneof(fc.integer().map(String), fc.constantFrom("", " ", " a ", "\t7", "é€", "\u00a0x", "b c", "?"));
  const line = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(field, field, field).map((fields) => fields.join(",")) },
    { weight: 1, arbitrary: fc.constantFrom("", "  ", "\t") },
  );

  it("gives the records that the parser gives, wherever the first quote comes", async () => {
    const parts = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(parts, fc.boolean(), async (lines, lastEnd) => {
        const text = lines
          .map(([content, end], index) => content + (lastEnd || index < lines.length - 1 ? end : ""))
          .join("");
        // The first row has a number, so nothing is taken for a header.
        const plain = await read(`1,2,3\n${text}`);
        expect(await read(`"1",2,3\n${text}`)).toEqual(plain);
        expect(await read(`\ufeff1,2,3\n${text}`)).toEqual(plain);
        const quotedLast = await read(`1,2,3\n${text}${lastEnd ? "" : "\n"}"4",5,6`);
        expect(quotedLast.slice(0, -1)).toEqual(plain);
        expect(quotedLast.at(-1)?.fields).toEqual(["4", "5", "6"]);
      }),
      { numRuns: 150 },
    );
  });

  it("changes over to the parser in the middle of a long file, keeping count of lines", async () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const rows = Array.from({ length: 60_000 }, (_, row) => `${row},€${end}`).join("");
      const records = await read(`${rows}"7","a${end}b"${end}8,c`);
      // A count of its own: a runner takes minutes to print arrays of this size.
      expect(records.length).toBe(60_002);
      expect(records.every(({ line }, index) => line === (index === 60_001 ? 60_003 : index + 1))).toBe(true);
      expect(records[60_000]?.fields).toEqual(["7", `a${end}b`]);
      expect(records[59_999]?.fields).toEqual(["59999", "€"]);
    }
  });

  it("reads rows that are longer than a piece of the file, and never gives out an empty batch", async () => {
    const path = join(await temporaryDirectory(), "wide.csv");
    const row = Array.from({ length: 100_000 }, (_, column) => column % 1000);
    await writeFile(path, `${row.join(",")}\n`.repeat(3));
    const lines: number[] = [];
    for await (const batch of readCsv(path)) {
      expect(batch.length).toBeGreaterThan(0);
      lines.push(...linesOf(batch));
      expect(batch[0]?.fields).toEqual(row.map(String));
    }
    expect(lines).toEqual([1, 2, 3]);
  });

  it("refuses a row longer than 16 MiB", async () => {
    const failure = await invalid(`1,2\n${"x".repeat(17 * 1024 * 1024)}`);
    expect(failure).toMatchObject({ row: 2 });
    expect(failure.problem).toContain("longer than 16 MiB");
  });
});

describe("float32Field", () => {
  const parse = (field: string) => float32Field({ line: 7, fields: ["x", field] }, 1, "f.csv");

  it("reads decimal and exponent notation, rounded to float32", () => {
    for (const text of ["0", "-0", "1", "+1.5", ".5", "5.", "-1e-3", "2E+5", "0e5", "00012", "1e-60", "3.4028234e38"]) {
      expect(parse(text), text).toBe(Math.fround(Number(text)));
      expect(looksNumeric(text), text).toBe(true);
    }
  });

  it.each([
    ["", "empty"],
    ["five", 'text "five"'],
    ["0x10", "text"],
    ["0b1", "text"],
    ["1,5", "text"],
    ["1_000", "text"],
    ["--1", "text"],
    ["NaN", "NaN"],
    ["-inf", "-inf"],
    ["Infinity", "Infinity"],
    ["3.5e38", "too large"],
    ["1e999", "too large"],
  ])("refuses %j", async (text, words) => {
    const failure = await failureWithCode("DATA_INVALID", () => parse(text));
    expect(failure).toMatchObject({ file: "f.csv", row: 7, column: 1 });
    expect(failure.problem).toContain(words);
    expect(failure.remedy).not.toBe("");
  });
});
