import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { SavedCheckpoint } from "../../../../coordinator/checkpoint/saved-checkpoint.js";
import type { TrainOptions } from "../../../../coordinator/cli/train-options.js";
import { RowsHold } from "../../../../coordinator/data/rows-hold.js";
import { planRun, prepareRows, readJob } from "../../../../coordinator/job/plan-run.js";
import type { TrainingRun } from "../../../../coordinator/job/training-run.js";
import type { JobId } from "../../../../shared/ids.js";
import { failureOf } from "../../../support/failure-of.js";
import { writeCheckpoint } from "../../../support/saved-checkpoints.js";
import { documentXml, ROWS } from "../../../support/service-place.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

let folder = "";
beforeEach(async () => {
  folder = await temporaryDirectory();
  await writeFile(join(folder, "rows.csv"), ROWS);
  await writeFile(join(folder, "test.csv"), ROWS);
});

async function planned(options: TrainOptions, resumed: SavedCheckpoint | null = null): Promise<TrainingRun> {
  const job = readJob({ bytes: Buffer.from(documentXml()), file: null, options, sources: {} });
  const hold = new RowsHold();
  onTestFinished(() => hold[Symbol.asyncDispose]());
  const prepared = await prepareRows(job, {
    dataPath: join(folder, "rows.csv"),
    labelsPath: null,
    cacheDirectory: join(folder, "cache"),
    hold,
    signal: new AbortController().signal,
  });
  return await planRun(job, {
    jobId: "job-1" as JobId,
    prepared,
    workers: 1,
    transport: "ipc",
    engine: { engine: "wasm", reason: "" },
    document: "net.xml",
    data: "rows.csv",
    out: join(folder, "out"),
    resumed,
  });
}

/** A checkpoint of this run, as a version would have saved it that had these facts. */
async function savedBy({ resumable }: TrainingRun, facts: object): Promise<SavedCheckpoint> {
  const path = await writeCheckpoint(join(folder, "saved"), 1, { job: { ...resumable, ...facts } });
  const saved = await SavedCheckpoint.open(path);
  onTestFinished(() => saved[Symbol.asyncDispose]());
  return saved;
}

describe("planRun with test data of its own", () => {
  it("says that nothing is split off the training data", async () => {
    const { configuration, resumable } = await planned({ "test-data": join(folder, "test.csv") });
    expect([configuration["testSplit"], resumable.testSplit, resumable.testRows]).toEqual([0, 0, 30]);
    expect((await planned({})).configuration["testSplit"]).toBe(0.2);
  });

  it("goes on whatever split the run before had, which played no part in it", async () => {
    const options = { "test-data": join(folder, "test.csv"), "test-split": 0.3 };
    const saved = await savedBy(await planned(options), { testSplit: 0.2 });
    expect((await planned(options, saved)).resumed).toBe(saved);
  });

  it("goes on from no run that had its test rows from elsewhere, or without it by another split", async () => {
    const own = { "test-data": join(folder, "test.csv") };
    const split = await savedBy(await planned({}), {});
    expect(await failureOf(() => planned(own, split))).toMatchObject({ code: "RESUME_MISMATCH" });
    expect(await failureOf(() => planned({ "test-split": 0.3 }, split))).toMatchObject({
      code: "RESUME_MISMATCH",
      what: "the test split",
    });
  });
});
