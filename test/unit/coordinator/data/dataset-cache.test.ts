import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DatasetCache, type PreparedRows } from "../../../../coordinator/data/dataset-cache.js";
import { RowsHold } from "../../../../coordinator/data/rows-hold.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const DAY_MS = 24 * 3600 * 1000;
const PLENTY = { mostBytes: 1e9, mostMs: 30 * DAY_MS };
const [A, B, C, D] = ["a", "b", "c", "d"].map((letter) => letter.repeat(64)) as [string, string, string, string];

/** Makes an entry of no rows and a file of so many bytes, which its description says nothing of. */
function ofSize(sizeBytes: number): (folder: string) => Promise<PreparedRows> {
  return async (folder) => {
    await writeFile(join(folder, "ballast"), Buffer.alloc(sizeBytes));
    const row = { features: 1, featureType: "float32", targets: 1, targetType: "class" } as const;
    const train = { ...row, path: "ballast", rowCount: 0 };
    const dataset = { train, test: null, transform: { kind: "scale", divisor: 1 }, classNames: ["a", "b"] };
    return {
      dataset,
      contentSha256: "0",
      labelColumn: null,
      featureNames: null,
      warnings: [],
      files: {},
    } as unknown as PreparedRows;
  };
}

async function entriesIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => !name.startsWith(".")).sort();
}

/** As if the entry had been used last so long ago. */
async function age(directory: string, key: string, ageMs: number): Promise<void> {
  const then = new Date(Date.now() - ageMs);
  await utimes(join(directory, key, "dataset.json"), then, then);
}

describe("DatasetCache", () => {
  it("removes what is longest unused beyond the bound, and what was not used for too long, before it makes another", async () => {
    const directory = await temporaryDirectory();
    const cache = new DatasetCache(directory, { mostBytes: 25_000, mostMs: 30 * DAY_MS });
    for (const [key, days] of [
      [A, 3],
      [B, 2],
      [C, 1],
    ] as const) {
      await cache.keep(key, { build: ofSize(10_000) });
      await age(directory, key, days * DAY_MS);
    }
    expect(await entriesIn(directory)).toEqual([A, B, C]);
    // Used again, the oldest is the newest; nothing is made, so nothing goes.
    expect((await cache.keep(A, { build: ofSize(10_000) })).cached).toBe(true);
    expect(await entriesIn(directory)).toEqual([A, B, C]);
    await cache.keep(D, { build: ofSize(10_000) });
    expect(await entriesIn(directory)).toEqual([A, C, D]);
    await age(directory, A, 31 * DAY_MS);
    await cache.keep(B, { build: ofSize(10) });
    expect(await entriesIn(directory)).toEqual([B, C, D]);
    expect(await readdir(directory)).toHaveLength(3);
  });

  it("never removes what a run holds; afterwards it counts as just used", async () => {
    const directory = await temporaryDirectory();
    const cache = new DatasetCache(directory, { mostBytes: 5, mostMs: 30 * DAY_MS });
    const [first, second] = [new RowsHold(), new RowsHold()];
    await cache.keep(A, { build: ofSize(10_000), hold: first });
    await age(directory, A, 100 * DAY_MS);
    await new DatasetCache(directory, PLENTY).keep(A, { build: ofSize(10_000), hold: second });
    await age(directory, A, 100 * DAY_MS);
    await first[Symbol.asyncDispose]();
    await cache.keep(B, { build: ofSize(10_000) });
    await age(directory, A, 100 * DAY_MS);
    await cache.keep(C, { build: ofSize(10_000) });
    expect(await entriesIn(directory)).toEqual([A, C]);
    await second[Symbol.asyncDispose]();
    await new DatasetCache(directory, PLENTY).keep(D, { build: ofSize(10_000) });
    expect(await entriesIn(directory)).toEqual([A, C, D]);
    await cache.keep(B, { build: ofSize(10) });
    expect(await readdir(directory)).toEqual([B]);
  });

  it("takes the sign of a process that died for none after a day, and leaves other files alone", async () => {
    const directory = await temporaryDirectory();
    const cache = new DatasetCache(directory, { mostBytes: 5, mostMs: 30 * DAY_MS });
    await cache.keep(A, { build: ofSize(10_000) });
    await cache.keep(B, { build: ofSize(10_000) });
    const [old, young] = [A, B].map((key) => join(directory, `.${key}.in-use-0123456789ab`)) as [string, string];
    for (const path of [old, young, join(directory, "notes.txt")]) await writeFile(path, "");
    const then = new Date(Date.now() - 25 * 3600 * 1000);
    await utimes(old, then, then);
    await mkdir(join(directory, "other"));
    await cache.keep(C, { build: ofSize(10) });
    expect(await entriesIn(directory)).toEqual([B, C, "notes.txt", "other"]);
    expect((await readdir(directory)).filter((name) => name.includes("in-use"))).toHaveLength(1);
  });

  it("makes room and entries in several places at once", async () => {
    const directory = await temporaryDirectory();
    const holds = Array.from({ length: 8 }, () => new RowsHold());
    const kept = await Promise.all(
      holds.map(async (hold, index) => {
        const cache = new DatasetCache(directory, { mostBytes: 0, mostMs: 0 });
        return await cache.keep([A, B, C, D][index % 4] ?? A, { build: ofSize(1000), hold });
      }),
    );
    expect(kept).toHaveLength(8);
    expect(await entriesIn(directory)).toEqual([A, B, C, D]);
    for (const hold of holds) await hold[Symbol.asyncDispose]();
    expect(await readdir(directory)).toEqual([A, B, C, D]);
  });
});
