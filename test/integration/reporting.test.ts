import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { JobDetail } from "../../shared/api/job-detail.js";
import type { JobMetrics } from "../../shared/api/job-metrics.js";
import { ROOT, runFailingTrain, runTrain, startCommand, type TrainRun } from "../support/run-command.js";
import {
  ask,
  askJson,
  eventsUntil,
  exampleXml,
  isEnd,
  type Serving,
  startServing,
  stopServing,
} from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml } from "../support/training-data.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const IRIS_DATA = join(ROOT, "examples/iris/iris.csv");
const TOKEN = "write-token-of-the-test";
const env = { RINGSTRASSE_TOKEN: TOKEN };
const auth = { token: TOKEN };

/** A job that was posted and nothing else: it neither has data nor waits. */
async function postedJob(serving: Serving, body: string): Promise<string> {
  const answer = await ask(serving, "/vinnsl", { method: "POST", body, type: "application/xml", ...auth });
  expect(answer.status).toBe(201);
  return (answer.headers.get("location") ?? "").split("/").at(-1) ?? "";
}

const statusOf = async (serving: Serving, id: string) =>
  (await askJson<JobDetail>(serving, `/cluster/jobs/${id}`, auth)).job.status;

/** The server has of the run all that the run itself has left. */
async function expectReported(serving: Serving, id: string, { run, out }: { run: TrainRun; out: string }) {
  const detail = await askJson<JobDetail>(serving, `/cluster/jobs/${id}`, auth);
  expect(detail.job).toMatchObject({ status: "FINISHED", step: run.finished.steps, epochs: run.epochs.length });
  expect(detail.started).toMatchObject({ jobId: id, trainRows: expect.any(Number) });
  expect(detail.result).toMatchObject({
    jobId: id,
    weightsSha256: run.finished.weightsSha256,
    testAccuracy: run.finished.testAccuracy,
  });
  const weights = await ask(serving, `/vinnsl/${id}/model/weights.bin`, auth);
  expect(Buffer.from(await weights.arrayBuffer())).toEqual(await readFile(join(out, "model/weights.bin")));
  const metrics = await askJson<JobMetrics>(serving, `/vinnsl/${id}/metrics?limit=10000`, auth);
  expect(metrics.epochs).toEqual(run.epochs);
  expect(metrics.steps.at(-1)?.step).toBe(run.finished.steps);
  const object = await askJson<{ trainingresult?: unknown; result?: unknown }>(serving, `/vinnsl/${id}`, {
    accept: "application/json",
    ...auth,
  });
  expect(object.trainingresult).toBeDefined();
  expect(object.result).toBeDefined();
}

const addressOf = ({ url }: Serving, id: string) => `--report-to=${url}/vinnsl/${id}`;

describe("a run elsewhere", () => {
  it("reports by HTTP to a job that was just posted, which local workers leave alone", async () => {
    const serving = await startServing({ workers: 1, env });
    const id = await postedJob(serving, await exampleXml(ROOT, "iris"));
    const out = await temporaryDirectory();
    const args = [IRIS, `--data=${IRIS_DATA}`, `--out=${out}`, addressOf(serving, id), `--report-token=${TOKEN}`];
    const run = await runTrain(args);
    expect(run.events.filter(({ event }) => event === "warning")).toEqual([]);
    await expectReported(serving, id, { run, out });
    const events = await eventsUntilEnd(serving, id);
    expect(events.flatMap((event) => (event.event === "status" ? [event.status] : []))).toEqual([
      "QUEUED",
      "INPROGRESS",
      "FINISHED",
    ]);
    const figures = await (await ask(serving, "/metrics", auth)).text();
    expect(figures).toMatch(new RegExp(`^ringstrasse_training_steps_total ${run.finished.steps}$`, "m"));
    expect(figures).toMatch(/^ringstrasse_training_rows_total [1-9]/m);
    expect(await stopServing(serving)).toBe(0);
  });

  it("reports through a spool", async () => {
    const spool = join(await temporaryDirectory(), "spool");
    const serving = await startServing({ workers: 0, env, args: [`--spool=${spool}`] });
    const id = await postedJob(serving, await exampleXml(ROOT, "iris"));
    const out = await temporaryDirectory();
    const address = `--report-to=${pathToFileURL(join(spool, id)).href}`;
    const run = await runTrain([IRIS, `--data=${IRIS_DATA}`, `--out=${out}`, address]);
    await expect.poll(() => statusOf(serving, id), { timeout: 60_000 }).toBe("FINISHED");
    await expectReported(serving, id, { run, out });
    expect(await stopServing(serving)).toBe(0);
  });

  it("reports on to a server that was killed in the middle and started again", async () => {
    const serving = await startServing({ workers: 0, env });
    const parameters = { iterations: 4000, learningrate: 0.01 };
    const document = networkXml({ inputs: 4, hidden: [200, 200], outputs: 3, parameters });
    const id = await postedJob(serving, document);
    const out = await temporaryDirectory();
    const file = join(await temporaryDirectory(), "net.xml");
    await writeFile(file, document);
    const report = [addressOf(serving, id), `--report-token=${TOKEN}`];
    const training = runTrain([file, `--data=${IRIS_DATA}`, `--out=${out}`, "--workers=1", ...report]);
    let over = false;
    const ended = training.finally(() => {
      over = true;
    });
    ended.catch(() => undefined);
    await eventsUntilStep(serving, id);
    expect(over).toBe(false);
    serving.command.child.kill("SIGKILL");
    await serving.command.ended;
    const { port } = new URL(serving.url);
    const { dataDirectory } = serving;
    const again = await startServing({ workers: 0, env, dataDirectory, args: [`--port=${port}`] });
    expect(await statusOf(again, id)).toBe("INPROGRESS");
    const run = await ended;
    expect(run.events.filter(({ event }) => event === "warning")).toEqual([]);
    await expectReported(again, id, { run, out });
    expect(await stopServing(again)).toBe(0);
  });

  it("that fails leaves ERROR with the reason", async () => {
    const serving = await startServing({ workers: 0, env });
    const id = await postedJob(serving, await exampleXml(ROOT, "iris"));
    const missing = join(await temporaryDirectory(), "gone.csv");
    const report = [addressOf(serving, id), `--report-token=${TOKEN}`];
    const { end, failed } = await runFailingTrain([IRIS, `--data=${missing}`, ...report]);
    expect(end.exitCode).toBe(3);
    const { job, failure } = await askJson<JobDetail>(serving, `/cluster/jobs/${id}`, auth);
    expect(job.status).toBe("ERROR");
    expect(failure).toMatchObject({ code: "REPORTED", problem: expect.stringContaining("gone.csv") });
    expect(job.statusReason?.message).toContain(failed.message);
    expect(await stopServing(serving)).toBe(0);
  });

  it("finishes with a warning when the token is wrong, and the job stays as it was", async () => {
    const serving = await startServing({ workers: 0, env });
    const id = await postedJob(serving, await exampleXml(ROOT, "iris"));
    const out = await temporaryDirectory();
    const args = [IRIS, `--data=${IRIS_DATA}`, `--out=${out}`, addressOf(serving, id), "--report-token=wrong-token"];
    const { events, finished } = await runTrain(args);
    expect(finished.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
    const warnings = events.flatMap((event) => (event.event === "warning" ? [event.message] : []));
    expect(warnings).toEqual([expect.stringMatching(/not all was reported to .*\/vinnsl\/.*401.*--report-token/)]);
    expect(await statusOf(serving, id)).toBe("CREATED");
    expect(await stopServing(serving)).toBe(0);
  });

  it("is refused before it begins when the address is none, exit 2", async () => {
    const { exitCode, stderr } = await startCommand(["train", IRIS, "--report-to=ftp://there/vinnsl/1"]).ended;
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--report-to")]);
  });
});

function eventsUntilEnd(serving: Serving, id: string) {
  return eventsUntil({ ...serving, ...auth }, id, isEnd);
}

async function eventsUntilStep(serving: Serving, id: string): Promise<void> {
  await eventsUntil({ ...serving, ...auth }, id, (event) => event.event === "step");
}
