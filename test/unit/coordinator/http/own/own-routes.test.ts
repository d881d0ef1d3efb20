import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fastify from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { registerDashboardFiles } from "../../../../../coordinator/http/own/dashboard-files.js";
import { ClusterSchema } from "../../../../../shared/api/cluster.js";
import { JobDetailSchema } from "../../../../../shared/api/job-detail.js";
import { JobMetricsSchema } from "../../../../../shared/api/job-metrics.js";
import { JobPageSchema, JobSummarySchema } from "../../../../../shared/api/job-summary.js";
import type { JobId } from "../../../../../shared/ids.js";
import { encodeTrainEvent, type TrainEvent } from "../../../../../shared/train-events.js";
import { openReportServer, READ_TOKEN, WRITE_TOKEN } from "../../../../support/report-server.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";
import { epochEvent, finishedEvent, startedEvent, stepEvent } from "../../../../support/train-events.js";

interface Ask {
  readonly method?: string;
  readonly body?: string | Uint8Array;
  readonly type?: string;
  readonly token?: string | null;
}

async function listening() {
  const server = await openReportServer();
  const origin = await server.listen();
  const ask = (path: string, { method = "GET", body, type, token = WRITE_TOKEN }: Ask = {}) => {
    const headers = new Headers();
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    if (type !== undefined) headers.set("content-type", type);
    return fetch(`${origin}${path}`, { method, headers, body: (body as NonNullable<RequestInit["body"]>) ?? null });
  };
  const ingest = (id: JobId, events: readonly TrainEvent[], query = "") => {
    const body = events.map((event) => `${encodeTrainEvent(event)}\n`).join("");
    return ask(`/vinnsl/${id}/ingest/events${query}`, { method: "POST", type: "application/x-ndjson", body });
  };
  return { ...server, origin, ask, ingest };
}

async function codeOf(
  response: Response,
): Promise<{ status: number; code: string; message: string; line: number | null }> {
  const { error } = (await response.json()) as { error: { code: string; message: string; line: number | null } };
  return { status: response.status, ...error };
}

const RUN = [startedEvent(), stepEvent(1, 1), stepEvent(1, 2), epochEvent(1)];

describe("commands", () => {
  it("queue, cancel and queue again, and answer with the job as it then is", async () => {
    const { ask, service, submit } = await listening();
    const id = await submit();
    const cancelled = await ask(`/vinnsl/${id}/cancel`, { method: "POST" });
    expect(cancelled.status).toBe(202);
    expect(JobSummarySchema.parse(await cancelled.json())).toMatchObject({ id, status: "ERROR" });
    const again = await ask(`/vinnsl/${id}/retrain?priority=7&resume=never`, {
      method: "POST",
      type: "application/json",
      body: "{}",
    });
    expect(again.status).toBe(202);
    expect(JobSummarySchema.parse(await again.json())).toMatchObject({ status: "QUEUED", priority: 7 });
    expect(await codeOf(await ask(`/vinnsl/${id}/train`, { method: "POST" }))).toMatchObject({
      status: 409,
      code: "CONFLICT",
    });
    expect(await service.queuedIds()).toEqual([id]);
  });

  it("are refused for unknown jobs, priorities out of range, and tokens for reading", async () => {
    const { ask, submit } = await listening();
    const id = await submit();
    expect((await ask(`/vinnsl/${"0".repeat(24)}/train`, { method: "POST" })).status).toBe(404);
    expect((await ask(`/vinnsl/${id}/train?priority=1001`, { method: "POST" })).status).toBe(400);
    expect((await ask(`/vinnsl/${id}/train?resume=perhaps`, { method: "POST" })).status).toBe(400);
    expect((await ask(`/vinnsl/${id}/cancel`, { method: "POST", token: READ_TOKEN })).status).toBe(403);
  });
});

describe("what a page reads", () => {
  it("has the shapes that the page knows", async () => {
    const { ask, ingest, service, submit } = await listening();
    const id = await submit();
    await service.setStatus(id, { status: "INPROGRESS" });
    expect((await ingest(id, [...RUN, finishedEvent()])).status).toBe(200);
    const read = async (path: string) => (await ask(path, { token: READ_TOKEN })).json();

    expect(ClusterSchema.parse(await read("/cluster")).queue).toEqual([]);
    expect(JobPageSchema.parse(await read("/cluster/jobs?limit=1&status=INPROGRESS")).jobs[0]?.id).toBe(id);
    const detail = JobDetailSchema.parse(await read(`/cluster/jobs/${id}`));
    expect(detail.started?.configuration).toEqual(startedEvent().configuration);
    expect(detail.result?.weightsSha256).toBe(finishedEvent().weightsSha256);
    const metrics = JobMetricsSchema.parse(await read(`/vinnsl/${id}/metrics?from=2&limit=10`));
    expect(metrics.steps.map(({ step }) => step)).toEqual([2]);
  });

  it.each([
    "/cluster/jobs?limit=0",
    "/cluster/jobs?limit=1e3",
    "/cluster/jobs?status=LOST",
    "/vinnsl/ID/metrics?from=-1",
  ])("refuses %s", async (path) => {
    const { ask, submit } = await listening();
    const refused = await codeOf(await ask(path.replace("ID", await submit())));
    expect(refused).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  });
});

describe("ingest", () => {
  it("takes each event once, whatever is sent again", async () => {
    const { ask, ingest, service, submit } = await listening();
    const id = await submit();
    await service.setStatus(id, { status: "INPROGRESS" });
    expect(await (await ingest(id, RUN.slice(0, 3), "?from=0&run=a")).json()).toEqual({ taken: 3, next: 3 });
    expect(await (await ingest(id, RUN.slice(0, 3), "?from=0&run=a")).json()).toEqual({ taken: 0, next: 3 });
    expect(await (await ingest(id, RUN.slice(2), "?from=2&run=a")).json()).toEqual({ taken: 1, next: 4 });
    const array = { method: "POST", type: "application/json", body: JSON.stringify([stepEvent(2, 3)]) };
    expect(await (await ask(`/vinnsl/${id}/ingest/events?from=4&run=a`, array)).json()).toEqual({ taken: 1, next: 5 });

    const { steps } = await service.metrics(id, { from: 0, limit: 10 });
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3]);
  });

  it("names the line of an event that is none, and takes nothing of its batch", async () => {
    const { ask, service, submit } = await listening();
    const id = await submit();
    await service.setStatus(id, { status: "INPROGRESS" });
    const body = `${encodeTrainEvent(startedEvent())}\n{"event":"step"}\n`;
    const refused = await ask(`/vinnsl/${id}/ingest/events`, { method: "POST", type: "application/x-ndjson", body });
    const { status, code, line, message } = await codeOf(refused);
    expect({ status, code, line }).toEqual({ status: 400, code: "DOCUMENT_INVALID", line: 2 });
    expect(message).toContain("line 2");
    expect((await service.detail(id)).started).toBeNull();
  });

  it("refuses other types, jobs that don't run elsewhere, and readers", async () => {
    const { ask, ingest, submit } = await listening();
    const id = await submit();
    const path = `/vinnsl/${id}/ingest/events`;
    expect((await ask(path, { method: "POST", type: "text/csv", body: "a" })).status).toBe(415);
    expect(await codeOf(await ingest(id, RUN))).toMatchObject({ status: 409, code: "CONFLICT" });
    const asReader = { method: "POST", type: "application/json", body: "[]", token: READ_TOKEN };
    expect((await ask(path, asReader)).status).toBe(403);
  });

  it("takes model files by their names alone, gives them back, and refuses what is too large", async () => {
    const { ask, service, submit } = await listening();
    const id = await submit();
    await service.setStatus(id, { status: "INPROGRESS" });
    const put = (name: string, body: Uint8Array | string) => {
      return ask(`/vinnsl/${id}/ingest/model/${name}`, { method: "PUT", type: "application/octet-stream", body });
    };
    expect((await put("model.json", '{"a":1}')).status).toBe(204);
    expect((await put("weights.bin", new Uint8Array(3_000_000).fill(7))).status).toBe(204);
    expect((await put("..%2f..%2fpasswd", "x")).status).toBe(404);
    expect(await codeOf(await put("weights.bin", new Uint8Array(10_000_001)))).toMatchObject({ status: 413 });

    const { files } = (await (await ask(`/vinnsl/${id}/model`)).json()) as {
      files: { href: string; sizeBytes: number }[];
    };
    expect(files.map(({ href, sizeBytes }) => ({ href, sizeBytes }))).toEqual([
      { href: `/vinnsl/${id}/model/model.json`, sizeBytes: 7 },
      { href: `/vinnsl/${id}/model/weights.bin`, sizeBytes: 3_000_000 },
    ]);
    const model = await ask(`/vinnsl/${id}/model/model.json`, { token: READ_TOKEN });
    expect(model.headers.get("content-type")).toContain("application/json");
    expect(await model.json()).toEqual({ a: 1 });
    expect((await ask(`/vinnsl/${id}/model/other.bin`)).status).toBe(404);
  });
});

describe("monitoring", () => {
  it("says without a token that the server can do its work, and that it can't once its store is gone", async () => {
    const { ask, submit, service, app } = await listening();
    await submit();
    const healthy = await ask("/health", { token: null });
    expect(healthy.status).toBe(200);
    expect(await healthy.json()).toMatchObject({ status: "ok", workers: 0, queued: 1 });
    // Whoever may ask without a token can't have the whole queue read.
    service.cluster = () => Promise.reject(new Error("the whole queue was read"));
    expect((await ask("/health", { token: null })).status).toBe(200);
    expect((await ask("/metrics", { token: READ_TOKEN })).status).toBe(200);
    service.counts = () => Promise.reject(new Error("secret path"));
    const failing = await app.inject({ url: "/health", headers: { host: "127.0.0.1" } });
    expect(failing.statusCode).toBe(503);
    expect(failing.json()).toMatchObject({ status: "failing" });
    expect(failing.payload).not.toContain("secret");
  });

  it("has figures for Prometheus, by route and not by path", async () => {
    const { ask, submit } = await listening();
    const id = await submit();
    await ask(`/cluster/jobs/${id}`);
    const response = await ask("/metrics", { token: READ_TOKEN });
    const text = await response.text();
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(text).toContain('ringstrasse_jobs{status="QUEUED"} 1');
    expect(text).toContain("ringstrasse_queue_length 1");
    expect(text).toContain('ringstrasse_workers{state="idle"} 0');
    expect(text).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/cluster\/jobs\/:id",status="200"\} 1/,
    );
    expect(text).toMatch(/process_resident_memory_bytes [1-9]/);
    expect(text).not.toContain(id);
    expect((await ask("/metrics", { token: null })).status).toBe(401);
  });

  it("keeps the figures of two servers in one process apart", async () => {
    const [one, other] = [await listening(), await listening()];
    await one.submit();
    expect(await (await one.ask("/metrics")).text()).toContain('ringstrasse_jobs{status="QUEUED"} 1');
    expect(await (await other.ask("/metrics")).text()).toContain('ringstrasse_jobs{status="QUEUED"} 0');
  });
});

describe("the page", () => {
  async function pageServer(directory: string) {
    const app = fastify();
    onTestFinished(() => app.close());
    await registerDashboardFiles(app as never, directory);
    return app;
  }

  it("is asked for every time, its assets once", async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, "assets"));
    await writeFile(join(directory, "index.html"), "<title>page</title>");
    await writeFile(join(directory, "assets", "index-abc.js"), "1");
    const app = await pageServer(directory);
    const page = await app.inject("/");
    expect(page.statusCode).toBe(200);
    expect(page.headers["cache-control"]).toBe("no-cache");
    expect((await app.inject("/assets/index-abc.js")).headers["cache-control"]).toContain("immutable");
    expect((await app.inject("/assets/../../etc/passwd")).statusCode).toBe(404);
  });

  it("says how to build it where it is not built", async () => {
    const app = await pageServer(await temporaryDirectory());
    const answer = await app.inject("/");
    expect(answer.statusCode).toBe(404);
    expect(answer.payload).toContain("npm run build:dashboard");
  });
});

describe("the description of the interface", () => {
  it("has every own route, with every status, and no reference into nothing", async () => {
    const { app } = await openReportServer();
    const document = JSON.stringify(app.swagger());
    for (const path of [
      "/vinnsl/{id}/train",
      "/vinnsl/{id}/events",
      "/vinnsl/{id}/ingest/model/{name}",
      "/cluster/jobs/{id}",
    ]) {
      expect(document).toContain(`"${path}"`);
    }
    expect(document).not.toContain("schema0");
  });
});
