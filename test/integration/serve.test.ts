import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { realData } from "../support/real-data.js";
import { ROOT, runTrain, startCommand } from "../support/run-command.js";
import {
  ask,
  askJson,
  eventsUntil,
  exampleXml,
  isEnd,
  post,
  startServing,
  stopServing,
  upload,
} from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml } from "../support/training-data.js";

const IRIS_DATA = join(ROOT, "examples/iris/iris.csv");

interface VinnslJson {
  readonly nncloud: { readonly status: string };
  readonly result?: { readonly file?: string };
  readonly trainingresult?: unknown;
}

/** A network for iris that trains until it is stopped; wide, so that there are not thousands of events a second. */
const ENDLESS = networkXml({
  inputs: 4,
  hidden: [800, 800],
  outputs: 3,
  parameters: { iterations: 1_000_000, learningrate: 0.01 },
}).replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv");

describe("the published flow", () => {
  it("iris: upload, post, addfile, queue, status, object, result file; the same bits as train", async () => {
    const serving = await startServing({ workers: 2 });
    const fileId = await upload(serving, IRIS_DATA, "iris.txt");
    const id = await post(serving, await exampleXml(ROOT, "iris"));
    expect(await askJson(serving, "/status")).toEqual({ [id]: "CREATED" });
    const added = await ask(serving, `/vinnsl/${id}/addfile?fileId=${fileId}`, { method: "PUT" });
    expect(added.status).toBe(200);
    await askJson(serving, `/worker/queue/${id}`, { method: "PUT" });
    const events = await eventsUntil(serving, id, isEnd);
    expect(events.at(-1)).toMatchObject({ status: "FINISHED" });

    const object = await askJson<VinnslJson>(serving, `/vinnsl/${id}`, { accept: "application/json" });
    expect(object.nncloud.status).toBe("FINISHED");
    expect(object.trainingresult).toBeDefined();
    const resultFile = object.result?.file ?? "none";
    const result = await askJson<{ finished?: { weightsSha256: string }; weightsSha256?: string }>(
      serving,
      `/storage/files/${resultFile}?download=false`,
    );
    const out = await temporaryDirectory();
    const { finished } = await runTrain([join(ROOT, "examples/iris/iris.xml"), "--data", IRIS_DATA, "--out", out]);
    expect(JSON.stringify(result)).toContain(finished.weightsSha256);
    expect(events.find((event) => event.event === "finished")).toMatchObject({
      weightsSha256: finished.weightsSha256,
      testAccuracy: finished.testAccuracy,
    });
    const weights = await ask(serving, `/vinnsl/${id}/model/weights.bin`);
    expect(Buffer.from(await weights.arrayBuffer())).toEqual(await readFile(join(out, "model/weights.bin")));
    expect(await stopServing(serving)).toBe(0);
  });

  it("dataSchemaID name/iris.txt finds the uploaded file by itself", async () => {
    const serving = await startServing({ workers: 1 });
    await upload(serving, IRIS_DATA, "iris.txt");
    const document = (await exampleXml(ROOT, "iris")).replace(/<dataSchemaID>[^<]*/, "<dataSchemaID>name/iris.txt");
    const id = await post(serving, document);
    await askJson(serving, `/worker/queue/${id}`, { method: "PUT" });
    expect((await eventsUntil(serving, id, isEnd)).at(-1)).toMatchObject({ status: "FINISHED" });
  });

  it.skipIf(realData("wines.csv") === null)("wines (needs ../shared/data/wines.csv)", async () => {
    const serving = await startServing({ workers: 1 });
    const fileId = await upload(serving, realData("wines.csv") ?? "");
    const id = await post(serving, await exampleXml(ROOT, "wines"));
    await ask(serving, `/vinnsl/${id}/addfile?fileId=${fileId}`, { method: "PUT" });
    await askJson(serving, `/worker/queue/${id}`, { method: "PUT" });
    const events = await eventsUntil(serving, id, isEnd);
    const finished = events.find((event) => event.event === "finished");
    expect(finished?.testAccuracy).toBeGreaterThan(0.8);
  });

  it.skipIf(realData("mnist/train10k-images-idx3-ubyte.gz") === null)(
    "MNIST: images and labels by addfile (needs ../shared/data/mnist)",
    async () => {
      const serving = await startServing({ workers: 2 });
      const id = await post(serving, await exampleXml(ROOT, "mnist"));
      for (const name of ["train10k-images-idx3-ubyte.gz", "train10k-labels-idx1-ubyte.gz"]) {
        const fileId = await upload(serving, realData(`mnist/${name}`) ?? "");
        expect((await ask(serving, `/vinnsl/${id}/addfile?fileId=${fileId}`, { method: "PUT" })).status).toBe(200);
      }
      await askJson(serving, `/worker/queue/${id}`, { method: "PUT" });
      const events = await eventsUntil(serving, id, isEnd);
      const finished = events.find((event) => event.event === "finished");
      expect(finished?.testAccuracy).toBeGreaterThan(0.9);
    },
  );
});

describe("workers that come and go", () => {
  it("jobs go side by side without mixing, on local workers and on one that joined", async () => {
    const serving = await startServing({ workers: 3, args: ["--token=a-good-token"] });
    const joined = startCommand(["worker", "--coordinator", serving.controlEndpoint, "--worker-id", "guest"], {
      env: { RINGSTRASSE_TOKEN: "a-good-token" },
    });
    const token = "a-good-token";
    const form = new FormData();
    form.append("file", new Blob([await readFile(IRIS_DATA)]), "iris.csv");
    await askJson(serving, "/storage/upload", { method: "POST", body: form, token });
    const seeds = [1, 2, 3];
    const documents = seeds.map((seed) =>
      networkXml({
        inputs: 4,
        hidden: [3],
        outputs: 3,
        parameters: { iterations: 200, learningrate: 0.05, seed },
      }).replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv"),
    );
    const outcomes = await Promise.all(
      documents.map(async (body) => {
        const posted = await ask(serving, "/vinnsl", { method: "POST", body, type: "application/xml", token });
        const id = (posted.headers.get("location") ?? "").split("/").at(-1) ?? "";
        await askJson(serving, `/vinnsl/${id}/train`, { method: "POST", token });
        return id;
      }),
    );
    const hashes: string[] = [];
    for (const id of outcomes) {
      const events = await eventsUntil({ url: serving.url, token }, id, isEnd);
      expect(events.at(-1)).toMatchObject({ status: "FINISHED" });
      hashes.push(events.find((event) => event.event === "finished")?.weightsSha256 ?? "");
    }
    for (const [index, body] of documents.entries()) {
      const folder = await temporaryDirectory();
      const file = join(folder, "net.xml");
      await writeFile(file, body);
      const { finished } = await runTrain([file, "--data", IRIS_DATA, "--out", join(folder, "out")]);
      expect(hashes[index]).toBe(finished.weightsSha256);
    }
    const cluster = await askJson<{ workers: { id: string; state: string }[] }>(serving, "/cluster", { token });
    expect(cluster.workers.map(({ id }) => id)).toContain("guest");
    expect(cluster.workers).toHaveLength(4);
    joined.child.kill("SIGTERM");
    expect((await joined.ended).exitCode).toBe(130);
    expect(await stopServing(serving)).toBe(0);
  });

  it("a killed worker fails its job by name, is started again, and the next job trains", async () => {
    const serving = await startServing({ workers: 1 });
    await upload(serving, IRIS_DATA);
    const id = await post(serving, ENDLESS);
    await askJson(serving, `/vinnsl/${id}/train`, { method: "POST" });
    const [generation] = (await eventsUntil(serving, id, (event) => event.event === "step")).filter(
      (event) => event.event === "generation",
    );
    const pid = generation?.workers[0]?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    const events = await eventsUntil(serving, id, isEnd);
    expect(events.at(-1)).toMatchObject({
      status: "ERROR",
      statusReason: { code: "WORKER_DIED", message: expect.stringContaining("SIGKILL") },
    });
    const next = await post(
      serving,
      (await exampleXml(ROOT, "iris")).replace(/<dataSchemaID>[^<]*/, "<dataSchemaID>name/iris.csv"),
    );
    await askJson(serving, `/vinnsl/${next}/train`, { method: "POST" });
    expect((await eventsUntil(serving, next, isEnd)).at(-1)).toMatchObject({ status: "FINISHED" });
    expect(await stopServing(serving)).toBe(0);
  });

  it("cancel frees the workers; a job in progress is queued again by a server that ends, and goes on in the next one", async () => {
    const serving = await startServing({ workers: 1 });
    await upload(serving, IRIS_DATA);
    const [first, second] = [await post(serving, ENDLESS), await post(serving, ENDLESS)];
    await askJson(serving, `/vinnsl/${first}/train`, { method: "POST" });
    await askJson(serving, `/vinnsl/${second}/train`, { method: "POST" });
    await eventsUntil(serving, first, (event) => event.event === "step");
    await askJson(serving, `/vinnsl/${first}/cancel`, { method: "POST" });
    expect((await eventsUntil(serving, first, isEnd)).at(-1)).toMatchObject({ statusReason: { code: "CANCELLED" } });
    await eventsUntil(serving, second, (event) => event.event === "step");
    expect(await stopServing(serving)).toBe(0);

    const again = await startServing({ workers: 1, dataDirectory: serving.dataDirectory });
    expect(await askJson(again, "/status")).toMatchObject({ [first]: "ERROR" });
    const { lastEventId } = await askJson<{ lastEventId: number }>(again, `/cluster/jobs/${second}`);
    await eventsUntil(again, second, (event) => event.event === "step", lastEventId);
    expect(await stopServing(again)).toBe(0);
  });

  it("a worker that joined comes back by itself to a server that was killed and started again", async () => {
    const token = { RINGSTRASSE_TOKEN: "a-good-token" };
    const serving = await startServing({ workers: 0, env: token });
    const port = new URL(serving.controlEndpoint.replace("tcp:", "http:")).port;
    const joined = startCommand(["worker", "--coordinator", serving.controlEndpoint, "--worker-id", "guest"], {
      env: token,
    });
    const auth = { token: token.RINGSTRASSE_TOKEN };
    await untilWorkers(serving.url, auth.token, 1);
    serving.command.child.kill("SIGKILL");
    await serving.command.ended;
    const again = await startServing({
      workers: 0,
      env: token,
      dataDirectory: serving.dataDirectory,
      args: [`--control-port=${port}`],
    });
    await untilWorkers(again.url, auth.token, 1);
    joined.child.kill("SIGTERM");
    await joined.ended;
    expect(await stopServing(again)).toBe(0);
  });
});

describe("access", () => {
  it("refuses an address that others reach without a token, exit 2", async () => {
    const command = startCommand(["serve", "--host=0.0.0.0", "--port=0", "--control-port=0"]);
    const { exitCode, stderr } = await command.ended;
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--host.*no token.*RINGSTRASSE_TOKEN/);
  });

  it("a port in use is named, exit 4", async () => {
    const serving = await startServing({ workers: 0 });
    const { port } = new URL(serving.url);
    const folder = await temporaryDirectory();
    const command = startCommand([
      "serve",
      `--port=${port}`,
      "--control-port=0",
      "--workers=0",
      `--data-dir=${folder}`,
    ]);
    const { exitCode, stderr } = await command.ended;
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining(`${serving.url}: another process already listens`)]);
  });
});

/** Resolves when so many workers are idle; asks now and then, since no stream tells of workers. */
async function untilWorkers(url: string, token: string, count: number): Promise<void> {
  const idle = async () => {
    const { workers } = await askJson<{ workers: { state: string }[] }>({ url }, "/cluster", { token });
    return workers.filter(({ state }) => state === "idle").length;
  };
  await expect.poll(idle, { timeout: 60_000, interval: 200 }).toBe(count);
}
