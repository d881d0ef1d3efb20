import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { FileId } from "../../../../coordinator/store/object-id.js";
import { openStore, type Store } from "../../../../coordinator/store/open-store.js";
import type { JobId } from "../../../../shared/ids.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const WRITER = fileURLToPath(new URL("./store-writer.mjs", import.meta.url));
const limits = { quotaBytes: 2 ** 30, maxFileBytes: 2 ** 30 };
const BodySchema = z.object({ body: z.string(), sha256: z.string() });
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What the store has acknowledged, over all its lives. */
class Acknowledged {
  readonly jobs = new Map<JobId, { sha256: string; statuses: readonly string[]; events: number }>();
  readonly files = new Map<FileId, { sha256: string; sizeBytes: number; deletion: "none" | "asked" | "done" }>();

  note(line: string): void {
    const [what, id, ...rest] = line.split(" ");
    const job = this.jobs.get(id as JobId);
    const file = this.files.get(id as FileId);
    if (what === "job")
      this.jobs.set(id as JobId, { sha256: String(rest[0]), statuses: ["CREATED", "QUEUED"], events: 0 });
    if (what === "queued" && job !== undefined) job.statuses = ["QUEUED", "INPROGRESS"];
    if (what === "started" && job !== undefined) job.statuses = ["INPROGRESS"];
    if (what === "event" && job !== undefined) job.events = Number(rest[0]);
    if (what === "file") {
      this.files.set(id as FileId, { sha256: String(rest[0]), sizeBytes: Number(rest[1]), deletion: "none" });
    }
    if (what === "deleting" && file !== undefined) file.deletion = "asked";
    if (what === "deleted" && file !== undefined) file.deletion = "done";
  }
}

/** Lets a writer work until it has said `lines` such lines, and kills it. @returns all that it said, also while it was being killed */
async function killAfter(directory: string, lines: number, such = /./): Promise<string[]> {
  const child = spawn(execPath, [WRITER, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.filter((earlier) => such.test(earlier)).length >= lines) child.kill("SIGKILL");
  }
  expect(await ended).toEqual([null, "SIGKILL"]);
  return said;
}

async function checkJobs({ jobs }: Store, { jobs: acknowledged }: Acknowledged): Promise<void> {
  let found = 0;
  for await (const { id } of jobs.statuses()) {
    const job = await jobs.get(id);
    const body = BodySchema.parse(JSON.parse(job.document.json));
    expect(sha256(body.body)).toBe(body.sha256);
    expect(job.document.xml === body.body).toBe(true);
    expect(job.title).toBe(sha256(job.document.json));
    const events = (await jobs.events(id, 0, 100)).events.map(({ sequence, data }) => [sequence, data]);
    expect(events).toEqual(events.map((_, index) => [index + 1, String(index)]));
    const metrics = await jobs.metrics(id, { limit: 100 });
    expect(Math.abs(metrics.rows.length - events.length)).toBeLessThanOrEqual(1);
    const expected = acknowledged.get(id);
    if (expected === undefined) continue;
    found++;
    expect(sha256(job.document.json)).toBe(expected.sha256);
    expect(expected.statuses).toContain(job.status);
    expect(events.length).toBeGreaterThanOrEqual(expected.events);
  }
  expect(found).toBe(acknowledged.size);
}

async function checkFiles({ files }: Store, directory: string, { files: acknowledged }: Acknowledged): Promise<void> {
  const stored = (await files.list({ limit: 1000 })).files;
  const ids = new Set(stored.map(({ id }) => id));
  for (const [id, { deletion, ...expected }] of acknowledged) {
    if (deletion === "none") expect(await files.get(id)).toMatchObject(expected);
    if (deletion === "done") expect(ids.has(id)).toBe(false);
  }
  const contents = new Map(stored.map((file) => [file.sha256, file]));
  for (const file of contents.values()) expect(sha256(await buffer(await files.read(file)))).toBe(file.sha256);
  expect(files.damaged).toEqual([]);
  expect(files.usedBytes).toBe([...contents.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const entries = await readdir(join(directory, "files"), { recursive: true, withFileTypes: true });
  expect(new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name))).toEqual(new Set(contents.keys()));
  expect(await readdir(join(directory, "incoming"))).toEqual([]);
}

describe("a store whose server is killed", () => {
  it("has lost nothing that was acknowledged, and holds nothing by halves, 32 times in a row", async () => {
    const directory = join(await temporaryDirectory(), "data");
    const acknowledged = new Acknowledged();
    // In the middle of everything, and about when an upload or a deletion ends.
    const moments: [number, RegExp][] = [
      [5, /./],
      [17, /./],
      [40, /./],
      [1, /^file/],
      [4, /^file/],
      [1, /^deleting/],
      [2, /^deleted/],
    ];
    for (let kill = 0; kill < 32; kill++) {
      const [lines, such] = moments[kill % moments.length] ?? [1, /./];
      const said = await killAfter(directory, lines, such);
      for (const line of said) acknowledged.note(line);
      await using store = await openStore({ directory, limits });
      await checkJobs(store, acknowledged);
      await checkFiles(store, directory, acknowledged);
    }
    // The kills came during work, not before it.
    expect(acknowledged.jobs.size).toBeGreaterThan(32);
    expect(acknowledged.files.size).toBeGreaterThan(32);
    await using store = await openStore({ directory, limits });
    const running = (await store.jobs.counts()).INPROGRESS;
    expect(running).toBeGreaterThan(0);
    const reason = { code: "INTERRUPTED" as const, signal: "SIGKILL" };
    const { jobs } = await store.jobs.list({ status: "INPROGRESS", limit: 1000 });
    expect(jobs).toHaveLength(running);
    for (const { id } of jobs) expect(await store.jobs.interrupt(id, { reason, savedStep: 0 })).toMatchObject({ id });
    expect((await store.jobs.counts()).INPROGRESS).toBe(0);
  });

  it("can be opened when it was killed while it was first opened", async () => {
    for (let kill = 0; kill < 8; kill++) {
      const directory = join(await temporaryDirectory(), "data");
      await killAfter(directory, 1 + (kill % 2));
      await using store = await openStore({ directory, limits });
      expect(await store.jobs.create({ document: { json: "{}", xml: null } })).toMatchObject({ status: "CREATED" });
    }
  });

  it("is refused to a second process as long as the first lives, and free when that is killed", async () => {
    const directory = join(await temporaryDirectory(), "data");
    const child = spawn(execPath, [WRITER, directory], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close");
    let refused: unknown = null;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line !== "open") continue;
      refused = await openStore({ directory, limits, lockWaitMs: 0 }).catch((thrown: unknown) => thrown);
      child.kill("SIGKILL");
    }
    await ended;
    expect(refused).toMatchObject({ failure: { code: "STORE_UNAVAILABLE", path: join(directory, "store.db") } });
    expect(String(refused)).toContain(
      `another server holds this data directory (by the last record: process ${child.pid} on`,
    );
    await using store = await openStore({ directory, limits, lockWaitMs: 0 });
    expect(await store.jobs.list({ limit: 1 })).toBeDefined();
  });
});
