import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { createTar } from "nanotar";
import { describe, expect, it } from "vitest";
import type { TakeRule } from "../../../../coordinator/engines/package-source.js";
import { unpackSource } from "../../../../coordinator/engines/unpack-source.js";
import { sha256OfFile } from "../../../../shared/engine-store/verify-engine.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { sourceOf } from "../../../support/registry-server.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { type ZipMember, zipFile } from "../../../support/zip-file.js";

const EVERYTHING: readonly TakeRule[] = [{ pattern: /^(.+)$/, into: "$1" }];

async function unpack(archive: Uint8Array, take = EVERYTHING, registry: "pypi" | "npm" = "pypi") {
  const place = await temporaryDirectory();
  const archivePath = join(place, "archive");
  await writeFile(archivePath, archive);
  const source = sourceOf({ registry, package: "thing", file: "thing.whl", take }, archive);
  const directory = join(place, "out");
  const { signal } = new AbortController();
  const run = () => unpackSource({ engine: "tensorflow", source, archivePath, directory, signal });
  return { directory, place, run };
}

function files(members: Readonly<Record<string, string>>): ZipMember[] {
  return Object.entries(members).map(([name, text]) => ({ name, data: Buffer.from(text) }));
}

describe("unpacking a wheel", () => {
  it.each([false, true])("takes what is asked for, and only that (zip64: %s)", async (zip64) => {
    const take = [{ pattern: /^a\/(lib.+)$/, into: "libs/$1" }];
    const members = [...files({ "a/libone.so": "one", "a/other": "no" }), ...files({ "b/libtwo.so": "no" })];
    const { directory, run } = await unpack(zipFile(members, zip64), take);
    const unpacked = await run();
    expect(unpacked).toEqual([
      { path: "libs/libone.so", sizeBytes: 3, sha256: await sha256OfFile(join(directory, "libs/libone.so")) },
    ]);
    expect(await readFile(join(directory, "libs/libone.so"), "utf8")).toBe("one");
    expect(await readdir(directory)).toEqual(["libs"]);
  });

  it("gives back any bytes, and keeps programs executable", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (data) => {
        const { directory, run } = await unpack(zipFile([{ name: "bin/x", data, mode: 0o100755 }]));
        await run();
        expect((await readFile(join(directory, "bin/x"))).equals(data)).toBe(true);
        expect((await stat(join(directory, "bin/x"))).mode & 0o111).not.toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it.each(["../evil", "a/../../evil", "/etc/evil", "C:/evil", "a\\..\\..\\evil"])(
    "refuses the name %s",
    async (name) => {
      const { place, run } = await unpack(zipFile(files({ [name]: "evil" })));
      const refused = await failureWithCode("ENGINE_UNAVAILABLE", run);
      expect(refused.problem).toContain("thing.whl of thing 1.0.0 is damaged or dangerous");
      expect(refused.remedy).toContain("another registry");
      expect(await readdir(place)).toEqual(["archive"]);
    },
  );

  it("refuses a rule's place outside the directory", async () => {
    const take = [{ pattern: /^x(.+)$/, into: "..$1" }];
    const { place, run } = await unpack(zipFile(files({ "x/evil": "evil" })), take);
    expect((await failureWithCode("ENGINE_UNAVAILABLE", run)).problem).toContain("x/evil leads out of its directory");
    expect(await readdir(place)).toEqual(["archive"]);
  });

  it("refuses links", async () => {
    const { run } = await unpack(zipFile([{ name: "link", data: Buffer.from("/etc/passwd"), mode: 0o120777 }]));
    expect((await failureWithCode("ENGINE_UNAVAILABLE", run)).problem).toContain("link is a link");
  });

  it("refuses what is no archive, is cut off, or doesn't inflate", async () => {
    const sound = zipFile(files({ a: "some text, some text, some text" }));
    const broken = Buffer.from(sound);
    broken.fill(0xff, 31, 36);
    for (const archive of [Buffer.from("hello"), sound.subarray(0, sound.length - 10), broken]) {
      const { run } = await unpack(archive);
      expect((await failureWithCode("ENGINE_UNAVAILABLE", run)).problem).toContain("is damaged or dangerous");
    }
  });

  it("misses what it needs, unless it is optional", async () => {
    const take = [
      { pattern: /^a$/, into: "a" },
      { pattern: /^b$/, into: "b" },
    ];
    const { run } = await unpack(zipFile(files({ a: "" })), take);
    expect((await failureWithCode("ENGINE_UNAVAILABLE", run)).problem).toContain("has nothing like ^b$");
    const optional = take.map((rule) => ({ ...rule, isOptional: rule.into === "b" }));
    expect((await (await unpack(zipFile(files({ a: "" })), optional)).run()).map(({ path }) => path)).toEqual(["a"]);
  });
});

describe("unpacking an npm package", () => {
  it("takes what is asked for", async () => {
    const tgz = gzipSync(
      createTar([
        { name: "package/a.h", data: "text" },
        { name: "package/b.js", data: "no" },
      ]),
    );
    const { directory, run } = await unpack(tgz, [{ pattern: /^package\/(.+\.h)$/, into: "node/$1" }], "npm");
    expect((await run()).map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([["node/a.h", 4]]);
    expect(await readFile(join(directory, "node/a.h"), "utf8")).toBe("text");
  });

  it("refuses what is no archive", async () => {
    const { run } = await unpack(Buffer.from("hello"), EVERYTHING, "npm");
    expect((await failureWithCode("ENGINE_UNAVAILABLE", run)).problem).toContain("is damaged or dangerous");
  });

  it("never leaves its directory", async () => {
    const tgz = gzipSync(createTar([{ name: "../../evil", data: "evil" }]));
    const { place, run } = await unpack(tgz, EVERYTHING, "npm");
    await run().catch(() => null);
    expect((await readdir(place)).filter((name) => name.includes("evil"))).toEqual([]);
  });
});
