import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FileLimits, FileStore } from "../../../../coordinator/store/file-store.js";
import type { LibsqlDatabase } from "../../../../coordinator/store/libsql-database.js";
import { LibsqlFileIndex } from "../../../../coordinator/store/libsql-file-index.js";
import type { FileId } from "../../../../coordinator/store/object-id.js";
import type { StoredFile } from "../../../../coordinator/store/stored-file.js";
import { failureOf } from "../../../support/failure-of.js";
import { openDatabase } from "../../../support/open-job-store.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const KiB = 1024;
const about = (name: string) => ({ name, contentType: "text/csv" });
const pieces = (...texts: (string | Uint8Array)[]) => Readable.from(texts.map((text) => Buffer.from(text)));
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("FileStore", () => {
  let directory: string;
  let database: LibsqlDatabase;
  let store: FileStore;
  const open = (limits: FileLimits) =>
    FileStore.open({ directory, index: new LibsqlFileIndex(database), limits, now: () => 7000 });
  beforeEach(async () => {
    directory = await temporaryDirectory();
    database = await openDatabase();
    store = await open({ quotaBytes: 1000 * KiB, maxFileBytes: 600 * KiB });
  });
  afterEach(() => database[Symbol.asyncDispose]());

  /** All files below `files/` and `incoming/`. */
  const onDisk = async (): Promise<string[]> => {
    const names = await readdir(directory, { recursive: true, withFileTypes: true });
    return names.filter((entry) => entry.isFile()).map(({ name }) => name);
  };
  const contentOf = async (file: StoredFile): Promise<string> => (await buffer(await store.read(file))).toString();

  it("keeps a file under its hash, whatever pieces it comes in", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), async (parts) => {
        const bytes = Buffer.concat(parts);
        const file = await store.add(pieces(...parts), about("iris.csv"));
        expect(file).toMatchObject({
          ...about("iris.csv"),
          sha256: sha256(bytes),
          sizeBytes: bytes.length,
          createdAt: 7000,
        });
        expect(file.id).toMatch(/^00000007[0-9a-f]{16}$/);
        expect(await store.get(file.id)).toEqual(file);
        expect(await buffer(await store.read(file))).toEqual(bytes);
        expect(await store.pathOf(file)).toBe(join(directory, "files", file.sha256.slice(0, 2), file.sha256));
      }),
      { numRuns: 30 },
    );
    expect(await readdir(join(directory, "incoming"))).toEqual([]);
  });

  it("finds the latest of a name, and lists all in pages", async () => {
    const first = await store.add(pieces("a"), about("x"));
    const second = await store.add(pieces("b"), about("x"));
    const third = await store.add(pieces("c"), about("y"));
    expect(await store.latest("x")).toEqual(second);
    expect(await store.latest("z")).toBe(null);
    const page = await store.list({ limit: 2 });
    expect(page.files).toEqual([first, second]);
    expect(await store.list({ limit: 2, cursor: page.next })).toEqual({ files: [third], next: null });
    await store.delete(second.id);
    expect(await store.latest("x")).toEqual(first);
    expect(await failureOf(() => store.list({ limit: 1001 }))).toMatchObject({ code: "USAGE", option: "limit" });
  });

  it("stores one content once, and removes it with its last name", async () => {
    const [first, second] = await Promise.all([
      store.add(pieces("same"), about("a")),
      store.add(pieces("sa", "me"), about("b")),
    ]);
    expect(first.sha256).toBe(second.sha256);
    expect(store.usedBytes).toBe(4);
    expect(await onDisk()).toEqual([sha256("same")]);
    await store.delete(first.id);
    expect(await contentOf(second)).toBe("same");
    const open = await store.read(second);
    await store.delete(second.id);
    expect((await buffer(open)).toString()).toBe("same");
    expect(await onDisk()).toEqual([]);
    expect(store.usedBytes).toBe(0);
    const failure = await failureOf(() => store.delete(second.id));
    expect(failure).toMatchObject({ code: "NOT_FOUND", what: "file", id: second.id });
    expect(await failureOf(() => store.get("0".repeat(24) as FileId))).toMatchObject({
      code: "NOT_FOUND",
      what: "file",
    });
  });

  it("comes through uploads and deletions of the same content at once", async () => {
    const kept: StoredFile[] = [];
    const rounds = Array.from({ length: 40 }, async (_, index) => {
      const file = await store.add(pieces(`content ${index % 3}`), about(String(index)));
      if (index % 4 === 0) kept.push(file);
      else await store.delete(file.id);
    });
    await Promise.all(rounds);
    for (const file of kept) expect(await contentOf(file)).toBe(`content ${Number(file.name) % 3}`);
    expect((await onDisk()).length).toBe(3);
    expect(store.usedBytes).toBe(27);
  });

  it("reads parts, and refuses what is no part", async () => {
    const file = await store.add(pieces("0123456789"), about("x"));
    const part = async (first: number, last: number) =>
      (await buffer(await store.read(file, { first, last }))).toString();
    expect(await part(0, 0)).toBe("0");
    expect(await part(3, 5)).toBe("345");
    expect(await part(0, 9)).toBe("0123456789");
    for (const [first, last] of [
      [5, 4],
      [0, 10],
      [-1, 3],
      [0.5, 3],
      [10, 10],
      [Number.NaN, 1],
    ] as const) {
      expect(await failureOf(() => part(first, last))).toMatchObject({ code: "USAGE", option: "range" });
    }
    const empty = await store.add(pieces(), about("empty"));
    expect(await contentOf(empty)).toBe("");
  });

  it.each([
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    "a\\..\\b",
    "con:",
    "x".repeat(255),
    "%2e%2e%2f",
    "Ä 𝒳.csv",
    "'; DROP TABLE files; --",
  ])("takes the name %s for data, never for a path", async (name) => {
    const file = await store.add(pieces("text"), about(name));
    expect(await store.latest(name)).toEqual(file);
    expect(await onDisk()).toEqual([sha256("text")]);
  });

  it.each([
    ["name", about("")],
    ["name", about("x".repeat(256))],
    ["name", about("two\r\nlines")],
    ["name", about("nul\u0000")],
    ["name", about("half \uD83D")],
    ["contentType", { name: "x", contentType: "text/plain\r\nSet-Cookie: x" }],
  ])("refuses a %s that is none, before it reads anything", async (option, upload) => {
    const content = pieces("text");
    expect(await failureOf(() => store.add(content, upload))).toMatchObject({ code: "USAGE", option });
    expect(content.readableDidRead).toBe(false);
    expect(await onDisk()).toEqual([]);
  });

  it("stops a file that is too large as soon as it is, and keeps nothing of it", async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void, void> {
      while (true) {
        sent += KiB;
        yield await Promise.resolve(Buffer.alloc(KiB));
      }
    }
    const failure = await failureOf(() => store.add(endless(), about("zeros")));
    expect(failure).toMatchObject({ code: "QUOTA_EXCEEDED", quota: "file", limitBytes: 600 * KiB });
    expect(failure.message).toMatch(/"zeros" is larger than the 614400 bytes that one file may have\. Send a smaller/);
    expect(sent).toBe(601 * KiB);
    expect(await onDisk()).toEqual([]);
    expect(store.usedBytes).toBe(0);
  });

  it.each([
    [601, "file"],
    [600, "files"],
  ] as const)(
    "refuses %i KiB that it is told of and has no room for, before any of it is asked for",
    async (size, quota) => {
      await store.add(pieces(Buffer.alloc(500 * KiB)), about("there already"));
      const content = pieces(Buffer.alloc(KiB));
      const failure = await failureOf(() => store.add(content, { ...about("zeros"), sizeBytes: size * KiB }));
      expect(failure).toMatchObject({ code: "QUOTA_EXCEEDED", quota });
      expect(content.readableDidRead).toBe(false);
      expect(store.usedBytes).toBe(500 * KiB);
    },
  );

  it("lets no more in than the quota, arriving ones counted, and room comes back", async () => {
    const part = (byte: number) => Buffer.alloc(300 * KiB, byte);
    const uploads = [1, 2, 3, 4, 5].map((byte) => store.add(pieces(part(byte)), about(`file ${byte}`)));
    const outcomes = await Promise.allSettled(uploads);
    const stored = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    expect(stored).toHaveLength(3);
    expect(store.usedBytes).toBe(900 * KiB);
    const failure = await failureOf(() => store.add(pieces(part(6)), about("one more")));
    expect(failure).toMatchObject({ code: "QUOTA_EXCEEDED", quota: "files", limitBytes: 1000 * KiB });
    expect(failure.message).toMatch(
      /no room for "one more" in the 1024000 bytes that all files may have\. Delete files/,
    );
    expect(await onDisk()).toHaveLength(3);
    if (stored[0] !== undefined) await store.delete(stored[0].id);
    await store.add(pieces(part(6)), about("one more"));
    store = await open(store.limits);
    expect(store.usedBytes).toBe(900 * KiB);
  });

  it("keeps nothing of an upload that breaks off or is aborted", async () => {
    const broken = new Error("connection lost");
    async function* breaking(): AsyncGenerator<Uint8Array, void, void> {
      yield await Promise.resolve(Buffer.from("some bytes"));
      throw broken;
    }
    await expect(store.add(breaking(), about("x"))).rejects.toBe(broken);
    const abort = new AbortController();
    async function* aborting(): AsyncGenerator<Uint8Array, void, void> {
      yield await Promise.resolve(Buffer.from("some bytes"));
      abort.abort(broken);
      yield Buffer.from("more");
    }
    await expect(store.add(aborting(), { ...about("x"), signal: abort.signal })).rejects.toBe(broken);
    expect(await onDisk()).toEqual([]);
    expect(store.usedBytes).toBe(0);
    expect(await store.list({ limit: 10 })).toEqual({ files: [], next: null });
  });

  it("names the path when the disk takes no more", async () => {
    const incoming = join(directory, "incoming");
    await rename(incoming, `${incoming}-away`);
    const failure = await failureOf(() => store.add(pieces("x"), about("x")));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    expect(failure.message).toContain(incoming);
    expect(store.usedBytes).toBe(0);
  });

  it("keeps no content whose name could not be written", async () => {
    await database[Symbol.asyncDispose]();
    expect(await failureOf(() => store.add(pieces("x"), about("x")))).toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await onDisk()).toEqual([]);
  });

  it("puts itself in order when opened, and touches nothing else", async () => {
    const file = await store.add(pieces("kept"), about("x"));
    const orphan = sha256("orphan");
    await mkdir(join(directory, "files", orphan.slice(0, 2)), { recursive: true });
    await writeFile(join(directory, "files", orphan.slice(0, 2), orphan), "orphan");
    await writeFile(join(directory, "incoming", "0123"), "half an upl");
    await writeFile(join(directory, "files", "README"), "not ours");
    store = await open(store.limits);
    expect((await onDisk()).sort()).toEqual([file.sha256, "README"].sort());
    expect(store.damaged).toEqual([]);
    expect(await contentOf(file)).toBe("kept");
  });

  it("knows a file that was deleted since it was looked up from one whose content is lost", async () => {
    const file = await store.add(pieces("gone"), about("x"));
    await store.delete(file.id);
    for (const use of [() => store.read(file), () => store.pathOf(file)]) {
      expect(await failureOf(use)).toMatchObject({ code: "NOT_FOUND", what: "file", id: file.id });
    }
  });

  it.each([
    ["missing", (path: string) => rm(path), /the content is missing\. Restore/],
    ["cut short", (path: string) => truncate(path, 2), /the content has 2 bytes instead of 4\. Restore/],
  ])("says which content is %s, opens all the same, and mends it by another upload", async (_, damage, message) => {
    const file = await store.add(pieces("kept"), about("x"));
    const path = await store.pathOf(file);
    await chmod(path, 0o644);
    await damage(path);
    store = await open(store.limits);
    expect(store.damaged).toEqual([path]);
    const failure = await failureOf(() => store.read(file));
    expect(failure).toMatchObject({ code: "STORE_DAMAGED", path });
    expect(failure.message).toMatch(message);
    await store.add(pieces("kept"), about("again"));
    expect(await contentOf(file)).toBe("kept");
    expect((await stat(path)).size).toBe(4);
    expect(store.usedBytes).toBe(4);
  });
});
