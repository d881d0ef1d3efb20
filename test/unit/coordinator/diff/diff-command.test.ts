import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runDiff } from "../../../../coordinator/diff/diff-command.js";
import { BlockHashLog } from "../../../../coordinator/output/block-hash-log.js";
import type { HashLogHeader } from "../../../../coordinator/output/hash-log-format.js";
import { failureOf } from "../../../support/failure-of.js";
import { blockHashes, epochEntry, hashLogHeader, stepEntry } from "../../../support/hash-log.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** A run's output directory with a log of one epoch of one step. */
async function run(name: string, changes: Partial<HashLogHeader> = {}, velocity = "velocity 1"): Promise<string> {
  const directory = join(await temporaryDirectory(), name);
  await mkdir(directory);
  const { kind: _kind, formatVersion: _version, ...header } = hashLogHeader(changes);
  await using log = await BlockHashLog.create(join(directory, "hashes.jsonl"), header);
  await log.addEpoch(epochEntry(0, 0));
  await log.addReplicas(stepEntry(1, 1));
  await log.addEpoch({ ...epochEntry(1, 1), state: [blockHashes(velocity)] });
  return directory;
}

async function edited(change: (lines: string[]) => string[]): Promise<string> {
  const file = join(await run("edited"), "hashes.jsonl");
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  await writeFile(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(""),
  );
  return file;
}

describe("runDiff", () => {
  it("tells identical runs, given as directory or as file", async () => {
    const [a, b] = [await run("a"), await run("b", { machinery: { ...hashLogHeader().machinery, workers: 2 } })];
    const outcome = await runDiff(a, join(b, "hashes.jsonl"));
    expect(outcome.identical).toBe(true);
    expect(outcome.text).toBe("identical, up to epoch 1, step 1\n");
    expect(outcome.json).toMatchObject({ runA: a, identical: true, result: { kind: "identical" } });
    expect(JSON.parse(JSON.stringify(outcome.json))).toEqual(outcome.json);
  });

  it("gives a difference as a result, not as a failure", async () => {
    const outcome = await runDiff(await run("a"), await run("b", {}, "other"));
    expect(outcome.identical).toBe(false);
    expect(outcome.text).toContain("epoch 1, step 1: parameters alike, but the optimizer's velocity differs");
    expect(outcome.json.result).toMatchObject({ kind: "different", difference: { stage: "state" } });
  });

  it("refuses runs that can't be compared, naming both and why", async () => {
    const [a, b] = [await run("a"), await run("b", { stateNames: ["mean"] })];
    const failure = await failureOf(() => runDiff(a, b));
    expect(failure.code).toBe("USAGE");
    expect(failure.message).toContain(`${a} and ${b} can't be compared: optimizer state velocity and mean`);
    expect(failure.message).toMatch(/Compare runs of one network/);
  });

  it("leaves out a last line that was cut off", async () => {
    const b = await run("b");
    await appendFile(join(b, "hashes.jsonl"), '{"kind":"step","epo');
    expect((await runDiff(await run("a"), b)).identical).toBe(true);
  });

  it("names a run that is not there, a directory without a log, and a path below a file", async () => {
    const a = await run("a");
    const absent = await failureOf(() => runDiff(a, join(a, "nowhere")));
    expect(absent).toMatchObject({ code: "INPUT_MISSING", file: join(a, "nowhere") });
    expect(absent.message).toMatch(/no such file or directory.*output directory of a run/);
    const empty = await temporaryDirectory();
    expect(await failureOf(() => runDiff(empty, a))).toMatchObject({
      code: "INPUT_MISSING",
      file: empty,
      problem: "there is no hashes.jsonl in this directory",
    });
    expect(await failureOf(() => runDiff(a, join(a, "hashes.jsonl", "x")))).toMatchObject({ code: "INPUT_MISSING" });
  });

  it.each<[string, (lines: string[]) => string[], number | null, RegExp]>([
    ["is empty", () => [], null, /the log is empty/],
    ["is something else", () => ["row,class", "1,setosa"], 1, /the line is not JSON/],
    ["has no header", (lines) => lines.slice(1), 1, /no header of a hash log/],
    [
      "has a later format",
      (lines) => lines.map((line) => line.replace('"formatVersion":1', '"formatVersion":2')),
      1,
      /format version is 2.*reads 1.*version of ringstrasse that wrote it/,
    ],
    [
      "has a damaged line",
      (lines) => lines.map((line, index) => (index === 2 ? line.slice(0, -5) : line)),
      3,
      /not JSON/,
    ],
    ["has a line of another kind", (lines) => [...lines, '{"kind":"note"}'], 5, /the line is no entry/],
    ["goes backwards", (lines) => [...lines, lines[2] ?? ""], 5, /epoch 1, step 1 comes after that of epoch 1, step 1/],
    [
      "lacks a block",
      (lines) => [...lines, JSON.stringify({ ...epochEntry(2, 2), parameters: blockHashes("x").slice(1) })],
      5,
      /3 hashes where the header has 4 blocks/,
    ],
    [
      "lacks a state arena",
      (lines) => [...lines, JSON.stringify({ ...epochEntry(2, 2), state: [] })],
      5,
      /0 state arenas where the header has 1/,
    ],
    [
      "lacks a replica",
      (lines) => [...lines, JSON.stringify({ ...stepEntry(2, 2), replicas: stepEntry(2, 2).replicas.slice(1) })],
      5,
      /has replicas 1 where the header has 2/,
    ],
  ])("names the line of a log that %s", async (_what, change, row, message) => {
    const file = await edited(change);
    const failure = await failureOf(() => runDiff(file, file));
    expect(failure).toMatchObject({ code: "DATA_INVALID", file, row });
    expect(failure.message).toMatch(message);
  });
});
