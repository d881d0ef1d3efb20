import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.js";

const MODULE = new URL("../../dist/coordinator/data/prepare-dataset.js", import.meta.url).href;
const COLUMNS = 20;
/** What holding the larger file whole would add, as bytes alone; as parsed fields it would be several times as much. */
const FILE_MB = 100;

/** The same thousand rows again and again. */
async function writeTable(path: string, sizeMb: number): Promise<void> {
  const rows = Array.from({ length: 1000 }, (_, row) => {
    const fields = Array.from({ length: COLUMNS }, (_, column) => ((row * 7919 + column * 104_729) / 7).toFixed(5));
    return `${fields.join(",")},${row % 3}\n`;
  });
  const text = rows.join("");
  const file = await open(path, "w");
  try {
    for (let written = 0; written < sizeMb * 1e6; written += text.length) await file.writeFile(text);
  } finally {
    await file.close();
  }
}

/** Highest resident memory in MB of a process that prepares the table and does nothing else. */
async function peakMb(path: string, cacheDirectory: string): Promise<number> {
  const request = {
    path,
    labelsPath: null,
    testPath: null,
    testLabelsPath: null,
    features: COLUMNS,
    target: { kind: "class", classes: 3 },
    labelIndex: null,
    testSplit: 0.2,
    seed: 1,
    cacheDirectory,
    elementPaths: { input: null, output: null, labelIndex: null },
  };
  const script = `const { prepareDataset } = await import(${JSON.stringify(MODULE)});
    await prepareDataset(${JSON.stringify(request)});
    process.stdout.write(String(process.resourceUsage().maxRSS / 1024));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return Number(stdout);
}

it("preparing a large table takes hardly more memory than preparing a small one", async () => {
  const folder = await temporaryDirectory();
  const [small, large] = [join(folder, "small.csv"), join(folder, "large.csv")];
  await writeTable(small, 5);
  await writeTable(large, FILE_MB);
  const smallMb = await peakMb(small, join(folder, "cache"));
  const largeMb = await peakMb(large, join(folder, "cache"));
  expect(smallMb).toBeGreaterThan(20);
  expect(largeMb - smallMb).toBeLessThan(FILE_MB);
});
