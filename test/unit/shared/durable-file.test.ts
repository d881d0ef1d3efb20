import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDirectory } from "../../../shared/create-directory.js";
import { replaceFile, unfinishedSibling, writeNewFile } from "../../../shared/durable-file.js";
import { writeFailure } from "../../../shared/write-failure.js";
import { failureOf } from "../../support/failure-of.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("writeNewFile", () => {
  it("writes the pieces one after the other, and never over a file", async () => {
    const path = join(await temporaryDirectory(), "file");
    await writeNewFile(path, [Buffer.from("one "), Buffer.alloc(0), Buffer.from("two")]);
    expect(await readFile(path, "utf8")).toBe("one two");
    await expect(writeNewFile(path, [Buffer.from("three")])).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(path, "utf8")).toBe("one two");
  });
});

describe("replaceFile", () => {
  it("replaces a file and leaves nothing beside it", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "file");
    await writeFile(path, "a longer text");
    await replaceFile(path, Buffer.from("short"));
    expect(await readFile(path, "utf8")).toBe("short");
    expect(await readdir(directory)).toEqual(["file"]);
  });

  it("leaves nothing behind when it fails", async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, "file"));
    await expect(replaceFile(join(directory, "file"), Buffer.from("x"))).rejects.toMatchObject({ code: "EISDIR" });
    expect(await readdir(directory)).toEqual(["file"]);
  });
});

describe("unfinishedSibling", () => {
  it("is hidden, in the same directory, and another one each time", () => {
    const names = [unfinishedSibling("/runs/iris/model"), unfinishedSibling("/runs/iris/model")];
    for (const name of names) expect(name).toMatch(/^\/runs\/iris\/\.model\.unfinished-[0-9a-f]{12}$/);
    expect(new Set(names).size).toBe(2);
  });
});

describe("createDirectory", () => {
  it("makes many branches of a tree that is not there, all at once", async () => {
    // The deeper ones come to the root when others have just made it.
    const depths = ["", "deeper", "deeper/still"];
    for (let round = 0; round < 40; round++) {
      const root = join(await temporaryDirectory(), "tree");
      const leaves = Array.from({ length: 30 }, (_, index) => join(root, `branch-${index}`, depths[index % 3] ?? ""));
      await Promise.all(leaves.map(createDirectory));
      expect((await readdir(root)).length).toBe(30);
    }
  });

  it("creates parents, and takes a directory that is there", async () => {
    const path = join(await temporaryDirectory(), "a", "b", "c");
    await createDirectory(path);
    await createDirectory(path);
    await createDirectory("/");
    expect(await readdir(path)).toEqual([]);
  });

  it("comes through when several create the same at once", async () => {
    const path = join(await temporaryDirectory(), "a", "b", "c");
    await Promise.all(Array.from({ length: 8 }, () => createDirectory(path)));
    expect(await readdir(path)).toEqual([]);
  });

  it("gives up where the file system takes no directories", async () => {
    await expect(createDirectory("/proc/ringstrasse/runs")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("does not take a file for a directory", async () => {
    const path = join(await temporaryDirectory(), "file");
    await writeFile(path, "");
    await expect(createDirectory(path)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(createDirectory(join(path, "below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

describe("writeFailure", () => {
  const system = (code: string) => Object.assign(new Error(`${code}: broken`), { code, syscall: "write" });

  it.each([
    ["ENOSPC", /no space is left on the device\. Free some space/],
    ["EROFS", /the file system is read-only\. Choose/],
    ["EIO", /writing failed \(EIO: EIO: broken\)\. Choose another directory/],
  ])("names what %s means, and keeps the cause", async (code, message) => {
    const cause = system(code);
    const failure = await failureOf(() => {
      throw writeFailure("/runs/iris", cause);
    });
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: "/runs/iris" });
    expect(failure.message).toMatch(message);
    expect(writeFailure("/runs/iris", cause)).toHaveProperty("cause", cause);
  });

  it("leaves defects of this software alone", () => {
    const defect = new TypeError("x is not a function");
    expect(writeFailure("/runs/iris", defect)).toBe(defect);
  });
});
