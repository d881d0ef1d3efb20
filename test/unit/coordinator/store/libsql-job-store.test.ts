import { join } from "node:path";
import Libsql from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import type { Job } from "../../../../coordinator/store/job-record.js";
import type { JobStore } from "../../../../coordinator/store/job-store.js";
import {
  COUNT_NAMES,
  SELECT_CONTENTS,
  SELECT_FILES,
  SELECT_LATEST,
  SELECT_OWNED,
} from "../../../../coordinator/store/libsql-file-index.js";
import { SELECT_EVENTS, SELECT_METRICS } from "../../../../coordinator/store/libsql-job-streams.js";
import {
  COUNT_STATUSES,
  listStatement,
  SELECT_BY_ID,
  SELECT_NEXT_PLACE,
  SELECT_QUEUED,
  SELECT_STATUSES,
} from "../../../../coordinator/store/libsql-job-table.js";
import { openStore } from "../../../../coordinator/store/open-store.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const StepsSchema = z.array(z.object({ detail: z.string() }));
const limits = { quotaBytes: 0, maxFileBytes: 0 };

/** What SQLite does for a query, one step after the other. */
function planOf(database: Libsql.Database, sql: string, parameters: (string | number)[]): string {
  const steps = StepsSchema.parse(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters));
  return steps.map(({ detail }) => detail).join("; ");
}

it("reads jobs that were written before a job's facts had all of today's fields", async () => {
  const directory = await temporaryDirectory();
  const at = { epoch: 1, epochs: 2, step: 3, steps: null, loss: null, accuracy: null, at: 5 };
  let id: Job["id"];
  {
    await using store = await openStore({ directory, limits });
    ({ id } = await store.jobs.create({ document: { json: "{}", xml: null } }));
  }
  const database = new Libsql(join(directory, "store.db"));
  const run = {
    attempt: 1, workers: null, replicas: null, elsewhere: null, startedAt: null, finishedAt: null,
    outputDirectory: null, testRowsSha256: null, result: null, modelFileIds: [],
  }; // biome-ignore format: one line per few fields
  const facts = { title: "old", statusReason: null, queuedAt: null, run, progress: at };
  database.prepare("UPDATE jobs SET facts = ?").run(JSON.stringify(facts));
  database.close();
  await using store = await openStore({ directory, limits });
  expect(await store.jobs.summary(id)).toMatchObject({
    title: "old",
    run: { attempt: 1, earlierAttempts: 0, interruptions: { times: 0, step: 0 }, workersWanted: null },
    progress: { step: 3, lastEpoch: null },
  });
});

describe("the libsql job store with 20,000 jobs", { timeout: 120_000 }, () => {
  it("lists, counts and tells all statuses", async () => {
    await using store = await openStore({ directory: await temporaryDirectory(), limits });
    const jobs = await createJobs(store.jobs);
    expect(await store.jobs.counts()).toMatchObject({ CREATED: 15_000, QUEUED: 5000 });
    expect((await store.jobs.list({ limit: 1000, order: "newest" })).jobs[0]?.number).toBe(20_000);
    expect(await store.jobs.queued(1)).toMatchObject([{ id: jobs[0]?.id }]);
    let seen = 0;
    for await (const { id } of store.jobs.statuses()) expect(id).toBe(jobs[seen++]?.id);
    expect(seen).toBe(20_000);
  });

  it("finds all rows by an index and in order, whether SQLite has statistics or not", async () => {
    const directory = await temporaryDirectory();
    {
      await using store = await openStore({ directory, limits });
      await createJobs(store.jobs);
    }
    const database = new Libsql(join(directory, "store.db"));
    onTestFinished(() => {
      database.close();
    });
    checkPlans(database);
    database.exec("ANALYZE");
    checkPlans(database);
  });
});

async function createJobs(store: JobStore): Promise<Job[]> {
  const document = { json: "{}", xml: null };
  const jobs = await Promise.all(Array.from({ length: 20_000 }, () => store.create({ document })));
  await Promise.all(jobs.map(({ id }, index) => (index % 4 === 0 ? store.transition(id, "queue") : null)));
  return jobs;
}

function checkPlans(database: Libsql.Database): void {
  const plan = (sql: string, ...parameters: (string | number)[]) => planOf(database, sql, parameters);
  for (const order of ["oldest", "newest"] as const) {
    expect(plan(listStatement({ order }), 0, 100)).toMatch(/^SEARCH jobs USING INTEGER PRIMARY KEY \(rowid[<>]\?\)$/);
    const byStatus = plan(listStatement({ order, status: "ERROR" }), "ERROR", 0, 100);
    expect(byStatus).toMatch(/^SEARCH jobs USING INDEX jobs_by_status \(status=\? AND number[<>]\?\)$/);
  }
  expect(plan(SELECT_BY_ID, "0")).toMatch(/^SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 \(id=\?\)$/);
  expect(plan(SELECT_QUEUED, 1)).toBe("SCAN jobs USING INDEX jobs_queue");
  expect(plan(SELECT_NEXT_PLACE)).toMatch(/^SEARCH jobs USING COVERING INDEX jobs_queue_place/);
  expect(plan(SELECT_STATUSES, 0, 1000)).toMatch(/^SEARCH jobs USING COVERING INDEX jobs_statuses/);
  expect(plan(COUNT_STATUSES)).toBe("SCAN jobs USING COVERING INDEX jobs_by_status");
  expect(plan(SELECT_METRICS, 1, "step", 0, 1, 9, 10)).toMatch(/^SEARCH metrics USING PRIMARY KEY \(job=\? AND kind/);
  expect(plan(SELECT_EVENTS, 1, 0, 10)).toMatch(/^SEARCH events USING PRIMARY KEY \(job=\? AND sequence>\?\)$/);
  expect(plan(SELECT_FILES, 0, 10)).toBe("SEARCH files USING INTEGER PRIMARY KEY (rowid>?)");
  expect(plan(SELECT_LATEST, "iris.csv")).toBe("SEARCH files USING INDEX files_by_name (name=?)");
  expect(plan(COUNT_NAMES, "0")).toBe("SEARCH files USING COVERING INDEX files_by_content (sha256=?)");
  expect(plan(SELECT_OWNED)).toMatch(/^(SCAN|SEARCH) files USING INDEX files_by_owner/);
  expect(plan(SELECT_CONTENTS)).toBe("SCAN files USING COVERING INDEX files_by_content");
}
