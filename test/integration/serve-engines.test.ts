import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CAN_HAVE_ENGINE, INSTALL_MS, installedEngine, NEEDS_ENGINE } from "../support/installed-engine.js";
import { ROOT, startCommand } from "../support/run-command.js";
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

/** A document for iris that names its engine and its workers; wide, so that there are not thousands of events a second. */
function documentFor(engine: string, workers: number, epochs: number): string {
  const hardware = `<valueparameter name="workers">${workers}</valueparameter><comboparameter name="engine">${engine}</comboparameter>`;
  return networkXml({
    inputs: 4,
    hidden: [400, 400],
    outputs: 3,
    parameters: { iterations: epochs, learningrate: 0.01 },
  })
    .replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv")
    .replace(
      "<serial>true</serial>",
      `<serial>true</serial><parallel><hardware><general>${hardware}</general></hardware></parallel>`,
    );
}

async function queued(serving: Serving, document: string): Promise<string> {
  const id = await post(serving, document);
  await askJson(serving, `/vinnsl/${id}/train`, { method: "POST" });
  return id;
}

describe.skipIf(!CAN_HAVE_ENGINE)(`a pool of workers with different engines (${NEEDS_ENGINE})`, () => {
  let env: Record<string, string> = {};
  beforeAll(async () => {
    env = await installedEngine();
  }, INSTALL_MS);

  it("gives each job idle workers that have its engine, and has it wait for busy ones", async () => {
    const without = { RINGSTRASSE_ENGINE_DIR: await temporaryDirectory() };
    const serving = await startServing({ workers: 2, env: without });
    const joining = ["worker", "--coordinator", serving.controlEndpoint, "--engine", "tensorflow"];
    const joined = startCommand(joining, { env: { ...env, RINGSTRASSE_TOKEN: serving.workerToken ?? "" } });
    await upload(serving, IRIS_DATA);
    const isStep = ({ event }: { readonly event: string }) => event === "step";
    const many = await queued(serving, documentFor("wasm", 2, 1_000_000));
    await eventsUntil(serving, many, isStep);
    // Not of the largest set of workers that are alike, which is busy.
    const one = await queued(serving, documentFor("tensorflow", 1, 1_000_000));
    await eventsUntil(serving, one, isStep);
    const waiting = await queued(serving, documentFor("tensorflow", 1, 3));
    await askJson(serving, `/vinnsl/${many}/cancel`, { method: "POST" });
    const { lastEventId } = await askJson<{ lastEventId: number }>(serving, `/cluster/jobs/${one}`);
    await eventsUntil(serving, one, isStep, lastEventId);
    expect(await askJson(serving, "/status")).toMatchObject({
      [many]: "ERROR",
      [one]: "INPROGRESS",
      [waiting]: "QUEUED",
    });
    await askJson(serving, `/vinnsl/${one}/cancel`, { method: "POST" });
    const events = await eventsUntil(serving, waiting, isEnd);
    expect(events.at(-1)).toMatchObject({ status: "FINISHED" });
    expect(events.find((event) => event.event === "finished")).toMatchObject({ engine: "tensorflow" });
    expect(events.filter(({ event }) => event === "warning" || event === "failed")).toEqual([]);
    joined.child.kill("SIGTERM");
    await joined.ended;
    expect(await stopServing(serving)).toBe(0);
  });
});
