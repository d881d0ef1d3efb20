import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../shared/api/cluster.js";
import type { JobEvent } from "../../shared/api/job-event.js";
import type { JobMetrics } from "../../shared/api/job-metrics.js";
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
const EPOCHS = 50;
/** 8 steps to an epoch, wide enough that one takes some milliseconds. */
const DOCUMENT = networkXml({
  inputs: 4,
  hidden: [300, 300],
  outputs: 3,
  parameters: { iterations: EPOCHS, learningrate: 0.01, batchsize: 16, optimizer: "momentum" },
})
  .replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv")
  .replace(
    "<serial>true</serial>",
    '<serial>true</serial><parallel><hardware><general><valueparameter name="minWorkers">2</valueparameter><valueparameter name="maxWorkers">3</valueparameter><valueparameter name="replicas">4</valueparameter></general></hardware></parallel>',
  );

/** Reads on, behind event `after`, until a run that has begun there has saved its state. */
async function untilSaved(serving: Serving, id: string, after: number): Promise<{ events: JobEvent[]; last: number }> {
  let hasBegun = false;
  const isSaved = ({ event }: JobEvent): boolean => {
    hasBegun ||= event === "started";
    return hasBegun && event === "checkpoint";
  };
  const events = await eventsUntil(serving, id, isSaved, after);
  const { lastEventId } = await askJson<{ lastEventId: number }>(serving, `/cluster/jobs/${id}`);
  return { events, last: lastEventId };
}

const stepOf = (events: readonly JobEvent[], kind: "checkpoint" | "resumed"): number =>
  events.flatMap((event) => (event.event === kind ? [event.step] : [])).at(-1) ?? Number.NaN;

describe("a job of the service that is disturbed", () => {
  it("a worker killed, the server stopped, the server killed: goes on each time, to the undisturbed bits", async () => {
    const args = ["--checkpoint-steps=10", "--keep-checkpoints=2"];
    const first = await startServing({ workers: 3, args });
    await upload(first, IRIS_DATA);
    const id = await post(first, DOCUMENT);
    await askJson(first, `/worker/queue/${id}`, { method: "PUT" });
    const began = await untilSaved(first, id, 0);

    const { workers } = await askJson<Cluster>(first, "/cluster");
    const victim = workers.find(({ rank }) => rank === 1);
    if (typeof victim?.pid !== "number") throw new Error(`nobody is rank 1: ${JSON.stringify(workers)}`);
    process.kill(victim.pid, "SIGKILL");
    const broken = await eventsUntil(first, id, isEnd, began.last);
    expect(broken.at(-1)).toMatchObject({ status: "ERROR", statusReason: { code: "WORKER_DIED" } });
    const failed = broken.find((event) => event.event === "failed");
    expect(failed).toMatchObject({ rank: 1, host: victim.host });
    const { lastEventId } = await askJson<{ lastEventId: number }>(first, `/cluster/jobs/${id}`);

    await askJson(first, `/vinnsl/${id}/retrain`, { method: "POST" });
    const again = await untilSaved(first, id, lastEventId);
    expect(stepOf(again.events, "resumed")).toBeGreaterThanOrEqual(10);
    const file = again.events.find((event) => event.event === "resumed")?.file ?? "";
    expect(file).toMatch(new RegExp(`^runs/${id}/checkpoints/step-\\d+\\.ckpt$`));

    expect(await stopServing(first)).toBe(0);
    const { dataDirectory } = first;
    const second = await startServing({ workers: 3, args, dataDirectory });
    const stopped = await untilSaved(second, id, again.last);
    // Told to end, it saved where it was, whatever the options say.
    expect(stepOf(stopped.events, "resumed")).toBeGreaterThanOrEqual(stepOf(again.events, "checkpoint"));

    second.command.child.kill("SIGKILL");
    await second.command.ended;
    const third = await startServing({ workers: 2, args, dataDirectory });
    const end = await eventsUntil(third, id, isEnd, stopped.last);
    expect(end.at(-1)).toMatchObject({ status: "FINISHED" });
    expect(stepOf(end, "resumed")).toBeGreaterThan(stepOf(stopped.events, "resumed"));

    const folder = await temporaryDirectory();
    const document = join(folder, "network.xml");
    await writeFile(document, DOCUMENT);
    const plain = await runTrain([document, "--data", IRIS_DATA, "--workers=1", "--out", join(folder, "plain")]);
    const { weightsSha256, stateSha256, trainLoss, testLoss, steps } = plain.finished;
    expect(end.find((event) => event.event === "finished")).toMatchObject({
      ...{ weightsSha256, stateSha256, trainLoss, testLoss, steps },
    });
    const curves = await askJson<JobMetrics>(third, `/vinnsl/${id}/metrics?limit=2000`);
    expect(curves.epochs.map(({ epoch, trainLoss: loss }) => [epoch, loss])).toEqual(
      plain.epochs.map(({ epoch, trainLoss: loss }) => [epoch, loss]),
    );
    expect(existsSync(join(dataDirectory, "runs", id, "checkpoints"))).toBe(false);
    expect(await stopServing(third)).toBe(0);
  });
});
