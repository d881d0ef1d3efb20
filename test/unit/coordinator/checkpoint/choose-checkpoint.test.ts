import { readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { chooseCheckpoint, liesIn, runDirectoryOf } from "../../../../coordinator/checkpoint/choose-checkpoint.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { writeCheckpoint, writeForeignCheckpoint } from "../../../support/saved-checkpoints.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function choose(resume: string, out: string | null = null) {
  const warnings: string[] = [];
  const chosen = await chooseCheckpoint({ resume, out, warn: (message) => warnings.push(message) });
  onTestFinished(() => chosen?.[Symbol.asyncDispose]());
  return { step: chosen?.description.position.step ?? null, chosen, warnings };
}

/** A run's output directory with the checkpoints of these steps. */
async function runWith(...steps: number[]): Promise<{ run: string; paths: string[] }> {
  const run = await temporaryDirectory();
  const paths: string[] = [];
  for (const step of steps) paths.push(await writeCheckpoint(join(run, "checkpoints"), step));
  return { run, paths };
}

describe("chooseCheckpoint", () => {
  it("takes the newest of a run, of its folder, or the one that is named", async () => {
    const { run, paths } = await runWith(9, 10, 100);
    for (const place of [run, join(run, "checkpoints")]) expect(await choose(place)).toMatchObject({ step: 100 });
    const { step, chosen, warnings } = await choose(paths[1] ?? "");
    expect({ step, warnings }).toEqual({ step: 10, warnings: [] });
    expect(chosen === null ? null : runDirectoryOf(chosen)).toBe(run);
  });

  it("takes the one before a truncated and an edited one, and says so", async () => {
    const { run, paths } = await runWith(10, 20, 30);
    const [, edited = "", cut = ""] = paths;
    await truncate(cut, 100);
    const bytes = await readFile(edited);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await writeFile(edited, bytes);
    for (const place of [run, cut]) {
      const { step, warnings } = await choose(place);
      expect(step).toBe(10);
      expect(warnings).toEqual([
        expect.stringMatching(new RegExp(`^checkpoint not used: ${cut}: it has 100 bytes, but`)),
        expect.stringMatching(new RegExp(`^checkpoint not used: ${edited}: its SHA-256 is another`)),
      ]);
    }
  });

  it("names all that can't be used when none is left", async () => {
    const { run, paths } = await runWith(10, 20);
    for (const path of paths) await truncate(path, 30);
    for (const wish of [() => choose(run), () => choose("auto", run)]) {
      const failure = await failureWithCode("CHECKPOINT_UNUSABLE", wish);
      expect(failure.path).toBe(run);
      for (const path of paths) expect(failure.problem).toContain(`${path}: it ends after 30 bytes`);
      expect(failure.remedy).toContain("without --resume");
    }
  });

  it("takes the one before one that can't be read, and never says that all are damaged where one may be sound", async () => {
    const { run, paths } = await runWith(10);
    const foreign = await writeForeignCheckpoint(join(run, "checkpoints"), 20);
    const { step, warnings } = await choose("auto", run);
    expect(step).toBe(10);
    expect(warnings).toEqual([`checkpoint not used: ${foreign}: it is in format 2, and this version reads format 1`]);
    await truncate(paths[0] ?? "", 30);
    const failure = await failureWithCode("CHECKPOINT_UNREADABLE", () => choose("auto", run));
    for (const path of [foreign, ...paths]) expect(failure.problem).toContain(`${path}: it `);
  });

  it("auto starts where nothing has been saved, and goes on where something has", async () => {
    const { run } = await runWith(10);
    expect((await choose("auto", run)).step).toBe(10);
    expect((await choose("auto", await temporaryDirectory())).step).toBeNull();
    expect((await choose("auto", join(run, "never"))).step).toBeNull();
    const failure = await failureWithCode("USAGE", () => choose("auto"));
    expect(failure).toMatchObject({ option: "--resume", remedy: "Give --out DIR too" });
  });

  it("refuses a directory without checkpoints, and a path that is not there", async () => {
    const empty = await temporaryDirectory();
    expect(await failureWithCode("CHECKPOINT_UNUSABLE", () => choose(empty))).toMatchObject({
      path: empty,
      problem: "there is no checkpoint in it",
    });
    const missing = join(empty, "nowhere");
    expect(await failureWithCode("INPUT_MISSING", () => choose(missing))).toMatchObject({ file: missing });
  });
});

describe("liesIn", () => {
  it("knows a run's directory by every name, and no other for it", async () => {
    const { run, paths } = await runWith(10);
    const other = await runWith(10);
    const elsewhere = await temporaryDirectory();
    const link = join(elsewhere, "link");
    await symlink(run, link);
    for (const resume of [run, link, paths[0] ?? ""]) {
      const { chosen } = await choose(resume);
      if (chosen === null) throw new Error("a checkpoint expected");
      for (const out of [run, `${run}/`, link]) expect(await liesIn(chosen, out)).toBe(true);
      for (const out of [other.run, elsewhere, join(elsewhere, "never")]) expect(await liesIn(chosen, out)).toBe(false);
    }
  });
});
