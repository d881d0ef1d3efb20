import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { prepareOutputDirectory } from "../../../../coordinator/output/output-directory.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const NEW = { resumes: false };

describe("prepareOutputDirectory", () => {
  it("creates the directory with its parents and leaves it empty", async () => {
    const path = join(await temporaryDirectory(), "runs", "iris");
    const directory = await prepareOutputDirectory(path, NEW);
    expect(directory).toEqual({
      path,
      modelDir: join(path, "model"),
      resultFile: join(path, "result.json"),
      metricsFile: join(path, "metrics.csv"),
      hashLogFile: join(path, "hashes.jsonl"),
    });
    expect(await readdir(path)).toEqual([]);
  });

  it("removes the result of an earlier run with its documents, and nothing else", async () => {
    const path = await temporaryDirectory();
    await mkdir(join(path, "model"));
    for (const name of [
      "result.json",
      "trainingresult.xml",
      "resultschema.xml",
      "metrics.csv",
      "notes.txt",
      "model/model.json",
    ])
      await writeFile(join(path, name), name);
    await prepareOutputDirectory(path, NEW);
    expect((await readdir(path)).sort()).toEqual(["metrics.csv", "model", "notes.txt"]);
    expect(await readFile(join(path, "model", "model.json"), "utf8")).toBe("model/model.json");
  });

  it.each<[string, (parent: string) => Promise<string>, RegExp]>([
    [
      "a file in the way",
      async (parent) => {
        await writeFile(join(parent, "file"), "");
        return join(parent, "file");
      },
      /a file is in the way\. Choose another directory, or move that file away/,
    ],
    [
      "a file among its parents",
      async (parent) => {
        await writeFile(join(parent, "file"), "");
        return join(parent, "file", "runs", "iris");
      },
      /a file, not a directory/,
    ],
    ["a file system that can't be written", () => Promise.resolve("/proc/ringstrasse"), /it can't be created/],
    ["a name that is too long", (parent) => Promise.resolve(join(parent, "n".repeat(300))), /path is too long/],
    [
      "a link to nowhere",
      async (parent) => {
        await symlink(join(parent, "nowhere"), join(parent, "link"));
        return join(parent, "link");
      },
      /Choose/,
    ],
  ])("refuses %s", async (_what, make, message) => {
    const path = await make(await temporaryDirectory());
    const failure = await failureOf(() => prepareOutputDirectory(path, NEW));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path });
    expect(failure.message).toMatch(message);
  });

  it("refuses at once what would stop the model from being written at the end", async () => {
    const path = await temporaryDirectory();
    await mkdir(join(path, "model", "photos"), { recursive: true });
    await writeFile(join(path, "result.json"), "{}");
    const failure = await failureOf(() => prepareOutputDirectory(path, NEW));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: join(path, "model") });
    expect(failure.message).toContain("photos");
    expect((await readdir(path)).sort()).toEqual(["model", "result.json"]);
  });

  it("leaves checkpoints to a run that resumes; refuses those of an unfinished run to one that begins", async () => {
    const path = await temporaryDirectory();
    const names = ["step-000000000010.ckpt", "step-000000000020.ckpt"];
    await mkdir(join(path, "checkpoints"));
    for (const name of names) await writeFile(join(path, "checkpoints", name), "state");
    const failure = await failureOf(() => prepareOutputDirectory(path, NEW));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path });
    expect(failure.message).toContain("has left 2 checkpoints here");
    expect(failure.message).toContain(`--resume ${path}`);
    await prepareOutputDirectory(path, { resumes: true });
    expect((await readdir(join(path, "checkpoints"))).sort()).toEqual(names);
  });

  it("removes the checkpoints of a run that finished, and no other file beside them", async () => {
    const path = await temporaryDirectory();
    await mkdir(join(path, "checkpoints"));
    await writeFile(join(path, "result.json"), "{}");
    const unfinished = ".step-000000000020.ckpt.unfinished-0a1b2c3d4e5f";
    for (const name of ["step-000000000010.ckpt", "step-000000000030.ckpt.abandoned", unfinished, "notes.txt"])
      await writeFile(join(path, "checkpoints", name), "");
    await prepareOutputDirectory(path, NEW);
    expect(await readdir(join(path, "checkpoints"))).toEqual(["notes.txt"]);
  });
});
