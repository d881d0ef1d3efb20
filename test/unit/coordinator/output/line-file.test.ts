import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LineFile } from "../../../../coordinator/output/line-file.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("LineFile", () => {
  it("keeps the order of calls that overlap, whatever their lengths, and closes after the last", async () => {
    const path = join(await temporaryDirectory(), "lines");
    const file = await LineFile.create(path);
    const lines = Array.from({ length: 200 }, (_, index) => `${index} ${"ü".repeat((index * 7919) % 5000)}`);
    const written = Promise.all(lines.map((line) => file.append(line)));
    await file[Symbol.asyncDispose]();
    await file[Symbol.asyncDispose]();
    await written;
    expect(await readFile(path, "utf8")).toBe(lines.map((line) => `${line}\n`).join(""));
  });

  it("goes on failing once a line was lost", async () => {
    await using file = await LineFile.create("/dev/full");
    for (const line of ["one", "two"]) {
      expect(await failureOf(() => file.append(line))).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: "/dev/full" });
    }
  });
});
