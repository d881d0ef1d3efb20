import { readFile } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { ApiClient } from "../../../../../coordinator/dashboard/api/api-client.js";
import { submitJob } from "../../../../../coordinator/dashboard/controllers/submit-controller.js";
import { createStore } from "../../../../../coordinator/dashboard/stores/store.js";
import { NOTHING_SUBMITTED, reduceSubmit } from "../../../../../coordinator/dashboard/stores/submit-store.js";
import { DashboardServer } from "../../../../support/dashboard-server.js";

const IRIS = new URL("../../../../../examples/iris/", import.meta.url);

async function setUp() {
  const server = await DashboardServer.start({ page: null });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const api = new ApiClient({
    origin: server.origin,
    tokens: { get: () => null, set: () => undefined },
    unauthorised: () => undefined,
  });
  const store = createStore(NOTHING_SUBMITTED, reduceSubmit);
  const xml = await readFile(new URL("iris.xml", IRIS), "utf8");
  const bytes = await readFile(new URL("iris.csv", IRIS));
  return { server, api, store, xml, data: new File([new Uint8Array(bytes)], "iris.csv"), sizeBytes: bytes.length };
}

describe("submitting a job", () => {
  it("posts the document, uploads and attaches the data, and queues the job", async () => {
    const { server, api, store, xml, data, sizeBytes } = await setUp();
    const id = await submitJob(api, store, { xml, data, labels: null, train: true });
    expect(server.requests).toEqual([
      "POST /vinnsl",
      "POST /storage",
      `PUT /vinnsl/${id}/addfile?fileId=file1`,
      `POST /vinnsl/${id}/train`,
    ]);
    expect(server.uploads).toEqual([{ name: "iris.csv", bytes: sizeBytes }]);
    expect(server.jobs.get(id ?? "")).toMatchObject({ xml, summary: { status: "QUEUED" } });
  });

  it("uploads nothing for a document that is refused", async () => {
    const { server, api, store, data } = await setUp();
    expect(await submitJob(api, store, { xml: "<definition/>", data, labels: null, train: true })).toBeNull();
    expect(server.requests).toEqual(["POST /vinnsl"]);
    expect(store.state.problem).toMatchObject({ status: 400, path: expect.stringContaining("/definition") });
    expect(store.state.steps[0]).toEqual({ name: "post", state: "failed" });
  });

  it("makes no second job when it is tried again after a later step failed", async () => {
    const { server, api, store, xml, data } = await setUp();
    const jobs = [...server.jobs];
    const submission = { xml, data, labels: null, train: true };
    const upload = api.upload.bind(api);
    api.upload = () => Promise.reject(new TypeError("the cable was pulled"));
    expect(await submitJob(api, store, submission)).toBeNull();
    expect(store.state.problem?.message).toContain("the cable was pulled");
    api.upload = upload;
    expect(await submitJob(api, store, submission)).toBe(store.state.handed.jobId);
    expect(server.requests.filter((request) => request === "POST /vinnsl")).toHaveLength(1);
    expect(server.jobs.size).toBe(jobs.length + 1);
  });
});
