import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { SlurmGround, type SlurmGroundOptions } from "../../../../coordinator/batch/slurm-ground.js";
import { openJobService } from "../../../../coordinator/service/open-job-service.js";
import { batchRequest } from "../../../../coordinator/submit/batch-request.js";
import { createLogger } from "../../../../shared/logger.js";
import { failureOf } from "../../../support/failure-of.js";
import { FakeSlurm } from "../../../support/fake-slurm.js";
import { NO_JUDGE } from "../../../support/no-judge.js";
import { type DocumentText, documentXml, STORE_KINDS, upload } from "../../../support/service-place.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** For processes to start. */
const PATIENT = { timeout: 30_000 };

class QuickGround extends SlurmGround {
  readonly timing = { lookMs: 5, askMs: 5, laterMs: 10 };
}

/** A service whose jobs go to commands in a folder. */
async function open({ patienceMs }: { readonly patienceMs?: number } = {}) {
  const directory = await temporaryDirectory();
  const slurm = await FakeSlurm.open(join(directory, "bin"));
  const entry = join(directory, "ringstrasse.js");
  await writeFile(entry, "");
  const nodes = await slurm.commands().nodes();
  const ground = groundOf({ directory, slurm: slurm.commands(patienceMs), nodes, entry });
  const store = await STORE_KINDS[0]!.open(directory);
  onTestFinished(() => store[Symbol.asyncDispose]());
  const log = createLogger("silent", { process: "test" });
  const service = await openJobService({ store, ground, judge: NO_JUDGE, dataDirectory: directory, log });
  onTestFinished(() => service[Symbol.asyncDispose]());
  const queued = async (document: DocumentText = {}) => {
    await upload({ store }, "rows.txt");
    const { id } = await service.submit({ format: "xml", bytes: Buffer.from(documentXml(document)) });
    await service.queue(id);
    return id;
  };
  /** What lies in the folders of a job's batch jobs. */
  const left = async (id: string) => {
    const folder = join(directory, "shared", "jobs", id);
    return (await Promise.all((await readdir(folder)).map((key) => readdir(join(folder, key))))).flat();
  };
  const folderOf = (id: string) => join(directory, "shared", "jobs", id);
  return { slurm, service, queued, left, folderOf };
}

interface Parts extends Pick<SlurmGroundOptions, "slurm" | "nodes" | "entry"> {
  readonly directory: string;
}

function groundOf({ directory, ...parts }: Parts): SlurmGround {
  const request = { ...batchRequest({}, "ringstrasse"), cpusPerTask: null };
  const folder = join(directory, "shared");
  return new QuickGround({ ...parts, folder, request, options: {}, execPath: process.execPath });
}

describe("jobs of the service at Slurm", () => {
  it("wait while sinfo does not answer, and are handed over when it does", async () => {
    const { slurm, service, queued } = await open();
    await slurm.fail("sinfo", "slurm_load_partitions: Unable to contact slurm controller (connect failure)");
    const id = await queued();
    const told = expect.stringMatching(/later: sinfo failed: .*connect failure/);
    await expect.poll(async () => (await service.detail(id)).warnings, PATIENT).toEqual([told]);
    await slurm.mend("sinfo");
    await expect.poll(() => slurm.submitted(), PATIENT).toEqual([expect.stringContaining(id)]);
    expect((await service.detail(id)).job.status).toBe("QUEUED");
  });

  it("wait while their partition is down, and are refused for what it never had", async () => {
    const { slurm, service, queued } = await open();
    await slurm.say("sinfo", "main*|down|node1|4|(null)|maint|infinite");
    const id = await queued();
    const told = "It will be handed over later: partition main takes no jobs now";
    await expect.poll(async () => (await service.detail(id)).warnings, PATIENT).toEqual([told]);
    const wide = await queued({ hardware: { threads: 8 } });
    await expect.poll(async () => (await service.detail(wide)).job.status, PATIENT).toBe("ERROR");
    expect((await service.detail(wide)).failure).toMatchObject({ code: "BATCH_REFUSED", option: "--tasks-per-node" });
    await slurm.mend("sinfo");
    await expect.poll(() => slurm.submitted(), PATIENT).toEqual([expect.stringContaining(id)]);
  });

  it("leave no copy of their data when they are cancelled, however often they are queued", async () => {
    const { slurm, service, queued, left } = await open();
    const id = await queued();
    await expect.poll(() => slurm.submitted(), PATIENT).toHaveLength(1);
    expect(await left(id)).toContain("data");
    await service.cancel(id);
    await service.queue(id);
    await expect.poll(() => slurm.submitted(), PATIENT).toHaveLength(2);
    await service.cancel(id);
    expect(await left(id)).not.toContain("data");
  });

  it("that are queued again say that they begin anew, and where an unfinished run's states are", async () => {
    const { slurm, service, queued, folderOf } = await open();
    const id = await queued();
    await expect.poll(() => slurm.submitted(), PATIENT).toHaveLength(1);
    const [key = ""] = await readdir(folderOf(id));
    const run = join(folderOf(id), key, "run");
    await mkdir(join(run, "checkpoints"));
    await writeFile(join(run, "checkpoints", "step-000000000005.ckpt"), "");
    const again = async (count: number) => {
      await service.cancel(id);
      await service.queue(id);
      await expect.poll(() => slurm.submitted(), PATIENT).toHaveLength(count);
    };
    await again(2);
    const told = [expect.stringContaining(`They are in ${run} until`)];
    await expect.poll(async () => (await service.detail(id)).warnings, PATIENT).toEqual(told);
    await writeFile(join(run, "result.json"), "{}");
    await again(3);
    // It has its turn after all that belongs to the handing over.
    await service.cancel(id);
    expect((await service.detail(id)).warnings).toEqual([]);
  });

  it("are found when sbatch took them without an answer", async () => {
    const { slurm, service, queued } = await open({ patienceMs: 1000 });
    await slurm.take("sbatch");
    const id = await queued();
    await expect
      .poll(async () => (await service.detail(id)).warnings, PATIENT)
      .toEqual([expect.stringContaining("sbatch did not answer within 1 s")]);
    await expect.poll(() => slurm.times("squeue"), PATIENT).toBeGreaterThan(1);
    expect(await slurm.submitted()).toEqual([expect.stringContaining(id)]);
    expect((await service.detail(id)).job.status).toBe("QUEUED");
  });

  it("don't keep a service from ending whose question is never answered", async () => {
    const { slurm, service, queued } = await open();
    await slurm.hang("squeue");
    await queued();
    await expect.poll(() => slurm.hung("squeue"), PATIENT).not.toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  it("stay as they are when scancel does not answer, and can be cancelled later", async () => {
    const { slurm, service, queued } = await open({ patienceMs: 2000 });
    const id = await queued();
    await expect.poll(() => slurm.submitted(), PATIENT).toHaveLength(1);
    await slurm.hang("scancel");
    expect(await failureOf(() => service.cancel(id))).toMatchObject({
      code: "BATCH_REFUSED",
      problem: "scancel did not answer within 2 s",
    });
    expect((await service.detail(id)).job.status).toBe("QUEUED");
    await slurm.mend("scancel");
    await service.cancel(id);
    expect((await service.detail(id)).failure).toMatchObject({ code: "CANCELLED" });
  });
});
