import { readFile, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { openStore } from "../../../../coordinator/store/open-store.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const limits = { quotaBytes: 1000, maxFileBytes: 1000 };

describe("openStore", () => {
  it("creates a data directory, and finds everything again", async () => {
    const directory = join(await temporaryDirectory(), "a", "data ä % ?#:");
    const document = { json: '{"a":1}', xml: "<vinnsl/>" };
    const kept = await (async () => {
      await using store = await openStore({ directory, limits });
      const job = await store.jobs.create({ document, title: "Iris" });
      await store.jobs.transition(job.id, "queue");
      await store.jobs.addEvent(job.id, { kind: "queued", data: "{}" });
      const file = await store.files.add(Readable.from([Buffer.from("x")]), { name: "x", contentType: "text/csv" });
      return { job: await store.jobs.get(job.id), file };
    })();
    await using store = await openStore({ directory, limits });
    expect(await store.jobs.get(kept.job.id)).toEqual(kept.job);
    expect((await store.jobs.events(kept.job.id, 0, 9)).events).toMatchObject([{ sequence: 1, kind: "queued" }]);
    expect(await store.files.latest("x")).toEqual(kept.file);
    expect(store.files.usedBytes).toBe(1);
  });

  it("is held by one server at a time, also by another path, and says by whom", async () => {
    const parent = await temporaryDirectory();
    const directory = join(parent, "data");
    await using _store = await openStore({ directory, limits });
    await symlink(directory, join(parent, "link"));
    for (const path of [directory, join(parent, "link")]) {
      const failure = await failureOf(() => openStore({ directory: path, limits, lockWaitMs: 0 }));
      expect(failure).toMatchObject({ code: "STORE_UNAVAILABLE", path: join(directory, "store.db") });
      expect(failure.message).toContain(
        `another server holds this data directory (by the last record: process ${pid} on ${hostname()}). Stop that server`,
      );
    }
    await writeFile(join(directory, "server.json"), '{"pid":');
    const failure = await failureOf(() => openStore({ directory, limits, lockWaitMs: 0 }));
    expect(failure.message).toContain("holds this data directory. Stop that server");
  });

  it("lets go of the directory when it can't open it all", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "files"), "in the way");
    for (let round = 0; round < 2; round++) {
      const failure = await failureOf(() => openStore({ directory, limits, lockWaitMs: 0 }));
      expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE" });
      expect(failure.message).toContain(directory);
    }
    expect(await readFile(join(directory, "files"), "utf8")).toBe("in the way");
  });

  it.each([
    ["/proc/ringstrasse", "OUTPUT_UNWRITABLE"],
    ["/dev/null/data", "OUTPUT_UNWRITABLE"],
  ])("names %s, where there is no room for a data directory", async (directory, code) => {
    const failure = await failureOf(() => openStore({ directory, limits }));
    expect(failure).toMatchObject({ code, path: directory });
  });
});
