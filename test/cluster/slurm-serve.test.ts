import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobDetail } from "../../shared/api/job-detail.js";
import type { JobEvent } from "../../shared/api/job-event.js";
import { batchSchedulerSuite } from "../conformance/batch-scheduler.suite.js";
import { markedProcesses } from "../support/marked-processes.js";
import { ROOT, runCommand, runTrain } from "../support/run-command.js";
import {
  ask,
  askJson,
  eventsUntil,
  isEnd,
  post,
  type Serving,
  startServing,
  stopServing,
  upload,
} from "../support/serving.js";
import { SlurmCluster, slurmProblem } from "../support/slurm-cluster.js";
import { slurmHarness } from "../support/slurm-harness.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml } from "../support/training-data.js";

const IRIS_DATA = join(ROOT, "examples/iris/iris.csv");
const PROBLEM = slurmProblem();
const RANGE = { minWorkers: 1, maxWorkers: 4 };
/** Epochs that outlast a server's end and the next one's start, also on a busy machine. */
const LONG = 1000;
const ENDLESS = 1_000_000;

/** Rows of iris into 3 classes. */
function document(iterations: number, hardware: Readonly<Record<string, number>> = RANGE): string {
  const values = Object.entries(hardware).map(
    ([name, value]) => `<valueparameter name="${name}">${value}</valueparameter>`,
  );
  const parameters = { iterations, batchsize: 32, learningrate: 0.05 };
  return networkXml({ inputs: 4, hidden: [8], outputs: 3, parameters }).replace(
    "<serial>true</serial>",
    `<serial>true</serial><parallel><hardware><general>${values.join("")}</general></hardware></parallel>`,
  );
}

describe.skipIf(PROBLEM !== null)(`serve --launcher slurm${PROBLEM === null ? "" : ` (${PROBLEM})`}`, () => {
  let cluster: SlurmCluster;

  beforeAll(async () => {
    cluster = await SlurmCluster.start(2);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  batchSchedulerSuite("Slurm's commands", () => Promise.resolve(slurmHarness(cluster)));

  /** On the login node, reached from here. */
  async function served(mark: string, dataDirectory?: string): Promise<Serving> {
    const shared = `--shared-dir=${join(cluster.folder, "shared")}`;
    const args = ["--launcher=slurm", "--nodes=2", "--tasks-per-node=2", shared];
    const place = dataDirectory === undefined ? {} : { dataDirectory };
    const serving = await startServing({
      workers: 0,
      args,
      through: cluster.through("login"),
      env: { MARK: mark, RINGSTRASSE_SILENCE_TIMEOUT: "60" },
      ...place,
    });
    return { ...serving, url: await cluster.reach("login", new URL(serving.url).port) };
  }

  async function queued(serving: Serving, xml: string, data = IRIS_DATA): Promise<string> {
    const file = await upload(serving, data);
    const id = await post(serving, xml);
    expect((await ask(serving, `/vinnsl/${id}/addfile?fileId=${file}`, { method: "PUT" })).ok).toBe(true);
    expect((await ask(serving, `/worker/queue/${id}`, { method: "PUT" })).ok).toBe(true);
    return id;
  }

  const detailOf = (serving: Serving, id: string) => askJson<JobDetail>(serving, `/cluster/jobs/${id}`);
  const statusesOf = (events: readonly JobEvent[]) =>
    events.flatMap((event) => (event.event === "status" ? [event.status] : []));

  /** Of the same document in one worker of this host. */
  async function weightsAlone(xml: string): Promise<string> {
    const folder = await temporaryDirectory();
    const file = join(folder, "net.xml");
    await writeFile(file, xml);
    const places = ["--out", join(folder, "run"), "--data-dir", join(folder, "rows"), "--data", IRIS_DATA];
    const { finished } = await runTrain([file, "--workers", "1", ...places]);
    return finished.weightsSha256;
  }

  /** Slurm's numbers of jobs that wait or run. */
  async function batchJobs(): Promise<string[]> {
    const { stdout } = await cluster.run("login", ["squeue", "--noheader", "--format=%i"]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  it("a posted job is trained on the nodes, and what cannot be is a failure with a name", async () => {
    const mark = randomUUID();
    const serving = await served(mark);
    const xml = document(3);
    const id = await queued(serving, xml);
    const events = await eventsUntil(serving, id, isEnd);
    expect(statusesOf(events)).toEqual(["QUEUED", "INPROGRESS", "FINISHED"]);
    const generation = events.find((event) => event.event === "generation");
    expect(generation?.workers.map(({ host }) => host)).toEqual(["node1", "node1", "node2", "node2"]);
    const detail = await detailOf(serving, id);
    expect(detail.result).toMatchObject({ jobId: id, workers: 4, weightsSha256: await weightsAlone(xml) });
    const weights = await ask(serving, `/vinnsl/${id}/model/weights.bin`);
    expect((await weights.arrayBuffer()).byteLength).toBeGreaterThan(0);
    const object = await askJson<{ trainingresult?: unknown }>(serving, `/vinnsl/${id}`, {
      accept: "application/json",
    });
    expect(object.trainingresult).toBeDefined();

    const wide = await queued(serving, document(3, { workers: 5 }));
    const [refused] = (await eventsUntil(serving, wide, isEnd)).filter(isEnd);
    expect(refused).toMatchObject({ status: "ERROR", statusReason: { code: "BATCH_REFUSED" } });
    expect((await detailOf(serving, wide)).failure).toMatchObject({ option: "--nodes" });

    const bad = join(await temporaryDirectory(), "bad.csv");
    await writeFile(bad, (await readFile(IRIS_DATA, "utf8")).replace("\n", "\nfour,3,1.4,0.2,0\n"));
    const ill = await queued(serving, document(3), bad);
    await eventsUntil(serving, ill, isEnd);
    const { failure } = await detailOf(serving, ill);
    expect(failure).toMatchObject({
      code: "BATCH_FAILED",
      state: "FAILED",
      problem: expect.stringContaining("bad.csv, row 2"),
    });

    const endless = await queued(serving, document(ENDLESS));
    await eventsUntil(serving, endless, (event) => event.event === "step");
    const [batchJob] = await batchJobs();
    expect(batchJob).toBeDefined();
    const cancelled = await ask(serving, `/vinnsl/${endless}/cancel`, { method: "POST" });
    expect(cancelled.status).toBe(202);
    expect((await detailOf(serving, endless)).failure).toMatchObject({ code: "CANCELLED" });
    await expect.poll(batchJobs, { timeout: 60_000 }).toEqual([]);
    const { pid } = serving.command.child;
    await expect.poll(() => markedProcesses(mark).filter((each) => each !== pid), { timeout: 60_000 }).toEqual([]);
    expect(await stopServing(serving)).toBe(0);
  });

  it("a server that is killed finds its batch job again, which is queued again at its time limit and finishes", async () => {
    const mark = randomUUID();
    const xml = document(LONG);
    const before = await served(mark);
    const id = await queued(before, xml);
    await eventsUntil(before, id, (event) => event.event === "step");
    const [batchJob = ""] = await batchJobs();
    before.command.child.kill("SIGKILL");
    await before.command.ended;
    const serving = await served(mark, before.dataDirectory);
    expect((await detailOf(serving, id)).job.status).toBe("INPROGRESS");
    await cluster.run("login", ["scancel", "--batch", "--signal=USR1", batchJob]);
    const events = await eventsUntil(serving, id, isEnd);
    expect(statusesOf(events)).toEqual(["QUEUED", "INPROGRESS", "QUEUED", "INPROGRESS", "FINISHED"]);
    expect(events.filter((event) => event.event === "resumed")).toHaveLength(1);
    const { job, result } = await detailOf(serving, id);
    expect(job.attempt).toBe(2);
    expect(result?.weightsSha256).toBe(await weightsAlone(xml));
    expect(await stopServing(serving)).toBe(0);
  });

  it("what the cluster can't give keeps the server from starting", async () => {
    const folder = await temporaryDirectory();
    const args = [
      "serve",
      "--launcher=slurm",
      "--port=0",
      `--data-dir=${folder}`,
      `--shared-dir=${join(folder, "shared")}`,
    ];
    const through = cluster.through("login");
    const wrong = await runCommand([...args, "--partition=night"], { through });
    expect(wrong).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("Choose one of main, short") });
    const many = await runCommand([...args, "--gpus-per-node=3"], { through });
    expect(many).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("--gpus-per-node: 3 GPUs") });
  });
});
