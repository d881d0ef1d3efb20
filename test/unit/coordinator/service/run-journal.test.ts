import { describe, expect, it } from "vitest";
import { JobStream } from "../../../../coordinator/service/job-stream.js";
import { RunJournal } from "../../../../coordinator/service/run-journal.js";
import { LibsqlJobStore } from "../../../../coordinator/store/libsql-job-store.js";
import type { Failure } from "../../../../shared/failure.js";
import { openDatabase } from "../../../support/open-job-store.js";
import { epochEvent } from "../../../support/scripted-ground.js";

/** More than wait at once. */
const MANY = 45_000;

describe("RunJournal", () => {
  it("keeps some of the epochs that wait for the disk in great numbers, the newest among them", async () => {
    await using store = new LibsqlJobStore(await openDatabase(), Date.now);
    const { id } = await store.create({ document: { json: "{}", xml: null } });
    const broken: unknown[] = [];
    const heard = {
      onBroken: (failure: Failure) => broken.push(failure),
      onOutage: (thrown: unknown) => broken.push(thrown),
    };
    const { signal } = new AbortController();
    const journal = new RunJournal({ id, store, stream: new JobStream(store), now: Date.now, signal, ...heard });
    for (let number = 1; number <= MANY; number++) journal.hear(epochEvent(number, MANY, number));
    await journal.end();
    expect(broken).toEqual([]);
    const { rows } = await store.metrics(id, { kind: "epoch", limit: 10_000 });
    const numbers = rows.map(({ epoch }) => epoch);
    expect(numbers.at(-1)).toBe(MANY);
    expect(numbers.length).toBeLessThanOrEqual(10_000);
    expect(numbers.filter((number) => number <= MANY / 2).length).toBeGreaterThan(100);
  });
});
