import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { detectFormat } from "../../../../shared/data/detect-format.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { idxFile } from "../../../support/idx-file.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function detect(content: Uint8Array, name: string) {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, content);
  return detectFormat(path);
}

describe("detectFormat", () => {
  it("goes by the content, not by the name", async () => {
    const idx = idxFile([1, 2, 2], [1, 2, 3, 4]);
    expect(await detect(idx, "table.csv")).toBe("idx");
    expect(await detect(gzipSync(idx), "table.csv")).toBe("idx");
    expect(await detect(Buffer.from("1,2\n"), "images-idx3-ubyte")).toBe("csv");
    expect(await detect(gzipSync("1,2\n"), "images-idx3-ubyte.gz")).toBe("csv");
    expect(await detect(Buffer.from("\ufeffGröße,Art\r\n1,a\r\n"), "x")).toBe("csv");
    // Latin-1 is for the reader to complain of, with the row.
    expect(await detect(Buffer.from([0x31, 0x2c, 0xe9, 0x0a]), "x")).toBe("csv");
  });

  it("refuses folders by name and says what is supported", async () => {
    const folder = join(await temporaryDirectory(), "classes");
    await mkdir(folder);
    const failure = await failureWithCode("CHOICE_UNSUPPORTED", () => detectFormat(folder, "--test-data"));
    expect(failure).toMatchObject({ option: "--test-data", value: folder, supported: ["CSV", "IDX", "IDX.gz"] });
    expect(failure.remedy).toContain("class folders");
  });

  it.each([
    ["PNG", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]), "neither"],
    ["zeros", Buffer.alloc(100), "neither"],
    ["UTF-16", Buffer.from("\ufeff1,2\n", "utf16le"), "UTF-16"],
    ["an empty file", Buffer.alloc(0), "empty"],
    ["an empty gzip file", gzipSync(""), "empty"],
  ])("refuses %s", async (_, content, words) => {
    const failure = await failureWithCode("DATA_INVALID", () => detect(content, "data.csv"));
    expect(failure.problem).toContain(words);
    expect(failure.file).toContain("data.csv");
  });

  it("says what is missing", async () => {
    const failure = await failureWithCode("INPUT_MISSING", () => detectFormat("/nowhere/data.csv"));
    expect(failure).toMatchObject({ file: "/nowhere/data.csv" });
  });
});
