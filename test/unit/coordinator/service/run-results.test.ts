import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { TrainingRun } from "../../../../coordinator/job/training-run.js";
import { openJobService } from "../../../../coordinator/service/open-job-service.js";
import type { RunSurroundings, TrainedRun } from "../../../../coordinator/service/training-ground.js";
import { createLogger } from "../../../../shared/logger.js";
import { MODEL_FILES } from "../../../../shared/model-file/model-facts.js";
import { NO_JUDGE } from "../../../support/no-judge.js";
import { ScriptedGround } from "../../../support/scripted-ground.js";
import { documentXml, STORE_KINDS, upload } from "../../../support/service-place.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** Somebody tidies up between the end of a run and the look at its results. */
class TidiedGround extends ScriptedGround {
  isTidied = true;

  override async train(run: TrainingRun, around: RunSurroundings): Promise<TrainedRun | null> {
    const trained = await super.train(run, around);
    if (this.isTidied) await rm(join(run.output.modelDir, MODEL_FILES.weights));
    return trained;
  }
}

describe("RunResults", () => {
  it("a model whose file has gone fails its job, and nothing else", async () => {
    const directory = await temporaryDirectory();
    const store = await STORE_KINDS[0]!.open(directory);
    onTestFinished(() => store[Symbol.asyncDispose]());
    const ground = new TidiedGround(1);
    ground.isAutomatic = true;
    const log = createLogger("silent", { process: "test" });
    const service = await openJobService({ store, ground, judge: NO_JUDGE, dataDirectory: directory, log });
    onTestFinished(() => service[Symbol.asyncDispose]());
    const { sizeBytes } = await upload({ store }, "rows.txt");
    const { id } = await service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
    await service.queue(id);
    await expect.poll(async () => (await service.detail(id)).job.status).toBe("ERROR");
    expect((await service.detail(id)).failure).toMatchObject({ problem: expect.stringContaining("ENOENT") });
    expect(store.files.usedBytes).toBe(sizeBytes);
    ground.isTidied = false;
    await service.queue(id);
    await expect.poll(async () => (await service.detail(id)).job.status).toBe("FINISHED");
  });
});
