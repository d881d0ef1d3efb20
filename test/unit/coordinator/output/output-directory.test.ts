import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { prepareOutputDirectory } from "../../../../coordinator/output/output-directory.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("prepareOutputDirectory", () => {
  it("creates the directory with its parents and leaves it empty", async () => {
    const path = join(await temporaryDirectory(), "runs", "iris");
    const directory = await prepareOutputDirectory(path);
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
    await prepareOutputDirectory(path);
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
    const failure = await failureOf(() => prepareOutputDirectory(path));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path });
    expect(failure.message).toMatch(message);
  });

  it("refuses at once what would stop the model from being written at the end", async () => {
    const path = await temporaryDirectory();
    await mkdir(join(path, "model", "photos"), { recursive: true });
    await writeFile(join(path, "result.json"), "{}");
    const failure = await failureOf(() => prepareOutputDirectory(path));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: join(path, "model") });
    expect(failure.message).toContain("photos");
    expect((await readdir(path)).sort()).toEqual(["model", "result.json"]);
  });
});
