import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../shared/api/cluster.js";
import type { JobEvent } from "../../shared/api/job-event.js";
import { ROOT, runTrain } from "../support/run-command.js";
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
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml } from "../support/training-data.js";

const IRIS_DATA = join(ROOT, "examples/iris/iris.csv");
/** Of 120 rows in batches of 16. */
const STEPS_PER_EPOCH = 8;

interface Wishes {
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly collective?: string;
  readonly hidden?: readonly number[];
}

/** A network for iris on two workers. */
function irisXml({ parameters = {}, collective, hidden = [8] }: Wishes): string {
  const exchange = collective === undefined ? "" : `<comboparameter name="collective">${collective}</comboparameter>`;
  const hardware = `<valueparameter name="workers">2</valueparameter><valueparameter name="replicas">4</valueparameter>${exchange}`;
  return networkXml({
    inputs: 4,
    hidden,
    outputs: 3,
    parameters: { iterations: 30, learningrate: 0.05, batchsize: 16, optimizer: "momentum", ...parameters },
  })
    .replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv")
    .replace(
      "<serial>true</serial>",
      `<serial>true</serial><parallel><hardware><general>${hardware}</general></hardware></parallel>`,
    );
}

async function trained(serving: Serving, document: string) {
  const id = await post(serving, document);
  await askJson(serving, `/vinnsl/${id}/train`, { method: "POST" });
  const events = await eventsUntil(serving, id, isEnd);
  expect(events.at(-1)).toMatchObject({ status: "FINISHED" });
  const finished = events.find((event) => event.event === "finished");
  if (finished?.event !== "finished") throw new Error(`no result: ${JSON.stringify(events.at(-1))}`);
  return { events, finished };
}

/** As `train` does the same document in one process. */
async function alone(document: string) {
  const folder = await temporaryDirectory();
  const file = join(folder, "network.xml");
  await writeFile(file, document);
  return await runTrain([file, "--data", IRIS_DATA, "--workers=1", "--out", join(folder, "out")]);
}

async function lastEventId(serving: Serving, id: string): Promise<number> {
  return (await askJson<{ lastEventId: number }>(serving, `/cluster/jobs/${id}`)).lastEventId;
}

const stepOf = (events: readonly JobEvent[], kind: "checkpoint" | "resumed"): number =>
  events.flatMap((event) => (event.event === kind ? [event.step] : [])).at(-1) ?? Number.NaN;

describe("strategies of the service's jobs", () => {
  it("what a document says of exchanges is done, to the bits of train in one process", async () => {
    const serving = await startServing({ workers: 2 });
    await upload(serving, IRIS_DATA);
    for (const [wishes, expected] of [
      [{ collective: "parameter-server" }, { collective: "parameter-server", ordered: true }],
      [{ parameters: { strategy: "local-sgd", syncEvery: 3 } }, { ordered: true }],
      [
        { parameters: { strategy: "local-sgd", syncEvery: 3 }, collective: "parameter-server" },
        { collective: "parameter-server", ordered: true },
      ],
      [{ parameters: { compress: "topk", topkFraction: 0.1 } }, { collective: "ring", ordered: false }],
    ] as const) {
      const document = irisXml(wishes);
      const { finished } = await trained(serving, document);
      const { weightsSha256, stateSha256, testLoss } = (await alone(document)).finished;
      expect(finished).toMatchObject({ ...expected, workers: 2, weightsSha256, stateSha256, testLoss });
    }
    expect(await stopServing(serving)).toBe(0);
  });

  it("async learns as sync does, and its curves say how far workers were apart", async () => {
    const serving = await startServing({ workers: 2 });
    await upload(serving, IRIS_DATA);
    const { finished, events } = await trained(
      serving,
      irisXml({ parameters: { strategy: "async", maxStaleness: 2, iterations: 60 } }),
    );
    expect(finished).toMatchObject({ collective: "parameter-server", ordered: false, workers: 2 });
    const sync = await alone(irisXml({ parameters: { iterations: 60 } }));
    expect(Math.abs(finished.trainLoss - sync.finished.trainLoss)).toBeLessThan(0.05);
    const { jobId } = finished;
    const { epochs } = await askJson<{ epochs: Record<string, number>[] }>(serving, `/vinnsl/${jobId}/metrics`);
    expect(epochs).toHaveLength(60);
    for (const { maxStepsAhead } of epochs) expect(maxStepsAhead).toBeLessThanOrEqual(2);
    expect(events.find(({ event }) => event === "started")).toHaveProperty("configuration.maxStaleness", 2);
    expect(await stopServing(serving)).toBe(0);
  });

  it("an async job whose server of parameters is killed, and then the service stopped, goes on from the end of an epoch", async () => {
    const args = ["--checkpoint-epochs=2"];
    const first = await startServing({ workers: 2, args });
    await upload(first, IRIS_DATA);
    const parameters = { strategy: "async", iterations: 150, learningrate: 0.01 };
    const id = await post(first, irisXml({ parameters, hidden: [300, 300] }));
    await askJson(first, `/vinnsl/${id}/train`, { method: "POST" });
    await eventsUntil(first, id, ({ event }) => event === "checkpoint");
    const { workers } = await askJson<Cluster>(first, "/cluster");
    const victim = workers.find(({ rank }) => rank === 0);
    if (typeof victim?.pid !== "number") throw new Error(`nobody is rank 0: ${JSON.stringify(workers)}`);
    process.kill(victim.pid, "SIGKILL");
    const broken = await eventsUntil(first, id, isEnd);
    expect(broken.at(-1)).toMatchObject({ status: "ERROR", statusReason: { code: "WORKER_DIED" } });
    expect(broken.find(({ event }) => event === "failed")).toMatchObject({ rank: 0, host: victim.host });

    const after = await lastEventId(first, id);
    await askJson(first, `/vinnsl/${id}/retrain`, { method: "POST" });
    const again = await eventsUntil(first, id, ({ event }) => event === "epoch", after);
    expect(stepOf(again, "resumed")).toBeGreaterThanOrEqual(2 * STEPS_PER_EPOCH);
    expect(stepOf(again, "resumed") % STEPS_PER_EPOCH).toBe(0);
    const seen = await lastEventId(first, id);
    expect(await stopServing(first)).toBe(0);

    const second = await startServing({ workers: 2, args, dataDirectory: first.dataDirectory });
    const end = await eventsUntil(second, id, isEnd, seen);
    expect(end.at(-1)).toMatchObject({ status: "FINISHED" });
    expect(stepOf(end, "resumed") % STEPS_PER_EPOCH).toBe(0);
    expect(stepOf(end, "resumed")).toBeGreaterThan(stepOf(again, "resumed"));
    const finished = end.find(({ event }) => event === "finished");
    expect(finished).toMatchObject({ steps: 150 * STEPS_PER_EPOCH, ordered: false });
    expect(await stopServing(second)).toBe(0);
  });

  it.each([
    [{ parameters: { strategy: "async" }, collective: "ring" }, "not by the collective ring"],
    [{ parameters: { compress: "topk" }, collective: "shm" }, "not by the collective shm"],
    [{ collective: "mpi" }, "collective mpi: these workers are not started by MPI"],
  ] as const)("%j is refused by name when it is posted", async (wishes, says) => {
    const serving = await startServing({ workers: 0 });
    const answer = await ask(serving, "/vinnsl", {
      method: "POST",
      body: irisXml(wishes),
      type: "application/xml",
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(says);
    expect(await stopServing(serving)).toBe(0);
  });
});
