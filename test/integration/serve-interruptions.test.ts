import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../shared/api/cluster.js";
import type { JobEvent } from "../../shared/api/job-event.js";
import { ROOT, runTrain } from "../support/run-command.js";
import {
  askJson,
  eventsUntil,
  isEnd,
  post,
  type Serving,
  startServing,
  stopServing,
  upload,
} from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml } from "../support/training-data.js";

const IRIS_DATA = join(ROOT, "examples/iris/iris.csv");
const SAVING = ["--checkpoint-steps=10", "--keep-checkpoints=2"];

/** 8 steps to an epoch, wide enough that one takes some milliseconds. */
function irisXml(epochs: number): string {
  return networkXml({
    inputs: 4,
    hidden: [300, 300],
    outputs: 3,
    parameters: { iterations: epochs, learningrate: 0.01, batchsize: 16, optimizer: "momentum" },
  })
    .replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv")
    .replace(
      "<serial>true</serial>",
      '<serial>true</serial><parallel><hardware><general><valueparameter name="workers">2</valueparameter><valueparameter name="replicas">4</valueparameter></general></hardware></parallel>',
    );
}

async function begun(serving: Serving, epochs: number): Promise<string> {
  await upload(serving, IRIS_DATA);
  const id = await post(serving, irisXml(epochs));
  await askJson(serving, `/worker/queue/${id}`, { method: "PUT" });
  return id;
}

/** Ends the worker that is rank 1 of the job that runs. */
async function killWorker(serving: Serving): Promise<void> {
  const { workers } = await askJson<Cluster>(serving, "/cluster");
  const pid = workers.find(({ rank }) => rank === 1)?.pid;
  if (typeof pid !== "number") throw new Error(`nobody is rank 1: ${JSON.stringify(workers)}`);
  process.kill(pid, "SIGKILL");
}

/** Reads on, behind event `after`, until a run that has begun there tells this. */
async function untilToldOf(serving: Serving, id: string, kind: "step" | "checkpoint", after: number) {
  let hasBegun = false;
  const events = await eventsUntil(
    serving,
    id,
    ({ event }) => {
      hasBegun ||= event === "started";
      return hasBegun && event === kind;
    },
    after,
  );
  const { lastEventId } = await askJson<{ lastEventId: number }>(serving, `/cluster/jobs/${id}`);
  return { events, last: lastEventId };
}

const stepOf = (events: readonly JobEvent[], kind: "checkpoint" | "resumed"): number =>
  events.flatMap((event) => (event.event === kind ? [event.step] : [])).at(-1) ?? Number.NaN;

/** What `train` makes of the same job in one process. */
async function undisturbed(epochs: number) {
  const folder = await temporaryDirectory();
  const document = join(folder, "network.xml");
  await writeFile(document, irisXml(epochs));
  const { finished } = await runTrain([document, "--data", IRIS_DATA, "--workers=1", "--out", join(folder, "plain")]);
  const { weightsSha256, stateSha256, trainLoss, testLoss, steps } = finished;
  return { weightsSha256, stateSha256, trainLoss, testLoss, steps };
}

describe("a job of the service that is interrupted again and again", () => {
  it("finishes with the undisturbed bits though a worker was killed four times, since it got further each time", async () => {
    const epochs = 100;
    const serving = await startServing({ workers: 2, args: [...SAVING, "--after-worker-loss=resume"] });
    const id = await begun(serving, epochs);
    let { last, events } = await untilToldOf(serving, id, "checkpoint", 0);
    for (let kill = 0; kill < 4; kill++) {
      const saved = stepOf(events, "checkpoint");
      await killWorker(serving);
      ({ last, events } = await untilToldOf(serving, id, "checkpoint", last));
      expect(events.find(({ event }) => event === "status")).toMatchObject({
        ...{ status: "QUEUED", statusReason: { code: "WORKER_DIED" } },
      });
      const warnings = events.flatMap((event) => (event.event === "warning" ? [event.message] : []));
      expect(warnings).toContainEqual(
        expect.stringMatching(
          /^worker rank 1 .* died .*goes on by itself: this is interruption 1 .*than that of step \d+,/,
        ),
      );
      expect(stepOf(events, "resumed")).toBeGreaterThanOrEqual(saved);
    }
    const end = await eventsUntil(serving, id, isEnd, last);
    expect(end.at(-1)).toMatchObject({ status: "FINISHED" });
    expect(end.find(({ event }) => event === "finished")).toMatchObject(await undisturbed(epochs));
    const { job } = await askJson<{ job: { attempt: number } }>(serving, `/cluster/jobs/${id}`);
    expect(job.attempt).toBe(5);
    expect(await stopServing(serving)).toBe(0);
  });

  it("ends by name with the third death of a worker that comes before any progress", async () => {
    const serving = await startServing({ workers: 2, args: ["--after-worker-loss=resume"] });
    const id = await begun(serving, 1_000_000);
    let last = 0;
    for (let kill = 0; kill < 3; kill++) {
      ({ last } = await untilToldOf(serving, id, "step", last));
      await killWorker(serving);
    }
    const end = await eventsUntil(serving, id, isEnd, last);
    const message = expect.stringMatching(
      /^worker rank 1 .* died .*interruption 3 in a row before a first checkpoint.*queued again/,
    );
    expect(end.at(-1)).toMatchObject({ status: "ERROR", statusReason: { code: "WORKER_DIED", message } });
    expect(end.find(({ event }) => event === "failed")).toMatchObject({ code: "WORKER_DIED", rank: 1, message });
    expect(await stopServing(serving)).toBe(0);
  });

  it("finishes with the undisturbed bits though its server was killed four times, since it got further each time", async () => {
    const epochs = 100;
    const dataDirectory = await temporaryDirectory();
    const start = () => startServing({ workers: 2, args: SAVING, dataDirectory });
    let serving = await start();
    const id = await begun(serving, epochs);
    let { last } = await untilToldOf(serving, id, "checkpoint", 0);
    for (let kill = 0; kill < 4; kill++) {
      serving.command.child.kill("SIGKILL");
      await serving.command.ended;
      serving = await start();
      ({ last } = await untilToldOf(serving, id, "checkpoint", last));
    }
    const end = await eventsUntil(serving, id, isEnd, last);
    expect(end.at(-1)).toMatchObject({ status: "FINISHED" });
    expect(end.find(({ event }) => event === "finished")).toMatchObject(await undisturbed(epochs));
    expect(await stopServing(serving)).toBe(0);
  });
});
