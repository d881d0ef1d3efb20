import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openReporter, type ReporterOptions } from "../../../../coordinator/report/open-reporter.js";
import { MAX_BODY_BYTES } from "../../../../shared/api/max-body-bytes.js";
import type { JobId } from "../../../../shared/ids.js";
import { createLogger } from "../../../../shared/logger.js";
import { runOutcome } from "../../../conformance/run-reporting.suite.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { FaultGate } from "../../../support/fault-gate.js";
import {
  keptEvents,
  openReportServer,
  READ_TOKEN,
  type ReportServer,
  WRITE_TOKEN,
} from "../../../support/report-server.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { startedEvent, stepEvent } from "../../../support/train-events.js";

const log = createLogger("silent", { process: "test" });
const timing = { batchMs: 1, firstRetryMs: 2, lastRetryMs: 10, patienceMs: 20_000 };

async function reportedJob(): Promise<{ server: ReportServer; gate: FaultGate; id: JobId }> {
  const server = await openReportServer();
  const id = await server.submit();
  const origin = await server.listen();
  const gate = new FaultGate(() => origin);
  await gate.reserve();
  onTestFinished(() => gate.close());
  return { server, gate, id };
}

function reporterFor(gate: FaultGate, id: JobId, changes: Partial<ReporterOptions> = {}) {
  const reporter = openReporter({ url: `${gate.origin}/vinnsl/${id}`, token: WRITE_TOKEN, log, timing, ...changes });
  onTestFinished(() => reporter[Symbol.asyncDispose]());
  return reporter;
}

async function stepsOf({ service }: ReportServer, id: JobId): Promise<number[]> {
  const { steps } = await service.metrics(id, { from: 0, limit: 100 });
  return steps.map(({ step }) => step);
}

describe("JobReporter over a bad connection", () => {
  it("waits for a server that is down at first", async () => {
    const { server, gate, id } = await reportedJob();
    const reporter = reporterFor(gate, id);
    for (const event of [startedEvent(), stepEvent(1, 1), stepEvent(1, 2)]) reporter.report(event);
    const outcome = reporter.finish(await runOutcome());
    await gate.open();

    expect((await outcome).kind).toBe("delivered");
    expect(await stepsOf(server, id)).toEqual([1, 2]);
    expect((await server.service.detail(id)).job.status).toBe("FINISHED");
  });

  it("says of a document that is too large for the server where it is, and what would let it through", async () => {
    const { server, gate, id } = await reportedJob();
    await gate.open();
    const path = join(await temporaryDirectory(), "resultschema.xml");
    await writeFile(path, `<resultschema>${" ".repeat(MAX_BODY_BYTES)}</resultschema>`);
    const outcome = await reporterFor(gate, id).finish({
      ...(await runOutcome()),
      documents: [{ part: "result", path }],
    });
    expect(outcome).toMatchObject({
      kind: "incomplete",
      problem: expect.stringContaining("413"),
      remedy: expect.stringMatching(/output directory.*limit on bodies/),
    });
    expect((await server.service.detail(id)).job.status).toBe("FINISHED");
  });

  it.each(["refuse", "fail", "hang", "lost"] as const)(
    "tells everything once though requests of every kind meet the fault: %s",
    async (fault) => {
      const { server, gate, id } = await reportedJob();
      await gate.open();
      gate.fault = fault;
      const met = new Set<string>();
      // Each kind of request meets the fault once, then goes through.
      gate.applies = ({ method, url = "" }) => {
        const kind = `${method} ${new URL(url, gate.origin).pathname.replace(id, "ID")}`;
        const isNew = !met.has(kind) && method !== "GET";
        met.add(kind);
        return isNew;
      };
      const reporter = reporterFor(gate, id, { requestTimeoutMs: fault === "hang" ? 300 : 10_000 });
      for (const event of [startedEvent(), stepEvent(1, 1), stepEvent(1, 2)]) reporter.report(event);
      const outcome = await reporter.finish(await runOutcome());

      expect(outcome).toEqual({ kind: "delivered", stepsLeftOut: 0 });
      // Status twice, events, three model files, one document.
      expect(gate.struck[fault]).toBeGreaterThanOrEqual(7);
      expect(await stepsOf(server, id)).toEqual([1, 2]);
      const kinds = (await keptEvents(server.service, id)).map(({ kind }) => kind).filter((kind) => kind !== "warning");
      expect(kinds).toEqual(["started", "step", "step", "finished"]);
      expect((await server.service.detail(id)).job.status).toBe("FINISHED");
    },
  );

  it("thins steps while nobody answers, and says how many", async () => {
    const { server, gate, id } = await reportedJob();
    const reporter = reporterFor(gate, id);
    reporter.report(startedEvent());
    for (let step = 1; step <= 5000; step++) reporter.report(stepEvent(1, step));
    const outcome = reporter.finish(await runOutcome());
    await gate.open();

    const { kind, stepsLeftOut } = (await outcome) as { kind: string; stepsLeftOut: number };
    expect(kind).toBe("delivered");
    expect(stepsLeftOut).toBeGreaterThan(2500);
    expect(stepsLeftOut).toBeLessThan(5000);
    expect((await server.service.detail(id)).job.step).toBe(6);
  });

  it("gives up in time when nobody ever answers, and names what is missing", async () => {
    const { gate, id } = await reportedJob();
    const reporter = reporterFor(gate, id, { timing: { ...timing, patienceMs: 50 } });
    reporter.report(startedEvent());
    const outcome = await reporter.finish(await runOutcome());

    if (outcome.kind !== "incomplete") throw new Error("nothing listens, so nothing can have been delivered");
    expect(outcome.undelivered).toEqual([
      "status INPROGRESS",
      "2 events",
      "model file model.json",
      "model file weights.bin",
      "model file model.safetensors",
      "document result",
      "status FINISHED",
    ]);
    expect(outcome.problem).toContain("ECONNREFUSED");
    expect(outcome.problem).toContain(`/vinnsl/${id}`);
    expect(outcome.remedy).toContain("output directory");
  });

  it("gives up in time when a server takes connections and never answers", async () => {
    const { id } = await reportedJob();
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const sockets: { destroy(): unknown }[] = [];
    silent.on("connection", (socket) => sockets.push(socket));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : null;
    const url = `http://127.0.0.1:${port}/vinnsl/${id}`;
    const reporter = openReporter({ url, token: null, log, timing: { ...timing, patienceMs: 100 } });
    const outcome = await reporter.fail({ code: "INTERNAL", problem: "it broke" });

    expect(outcome.kind === "incomplete" ? outcome.problem : "").toContain("did not answer");
    expect(sockets.length).toBeGreaterThan(0);
  });

  it.each([
    { what: "a wrong token", token: "no-such-token", id: null, status: "401", remedy: "--report-token" },
    { what: "a token for reading", token: READ_TOKEN, id: null, status: "403", remedy: "--report-token" },
    { what: "an unknown job", token: WRITE_TOKEN, id: "0".repeat(24), status: "404", remedy: "vinnsl/ID" },
  ])("is told at once of $what, and tells it", async ({ token, id: otherId, status, remedy }) => {
    const { server, gate, id } = await reportedJob();
    await gate.open();
    const reporter = reporterFor(gate, (otherId ?? id) as JobId, { token });
    reporter.report(startedEvent());
    const outcome = await reporter.finish(await runOutcome());

    if (outcome.kind !== "incomplete") throw new Error("the server can't have taken it");
    expect(outcome.problem).toContain(status);
    expect(outcome.remedy).toContain(remedy);
    expect(outcome.undelivered).toContain("status FINISHED");
    expect(gate.passed.filter((request) => request.startsWith("PUT /status"))).toHaveLength(1);
    expect((await server.service.detail(id)).job.status).toBe("QUEUED");
  });

  it("refuses a token that can't be sent, before anything begins", async () => {
    const url = "http://127.0.0.1:1/vinnsl/0123";
    const token = "correct horse battery";
    const failure = await failureWithCode("USAGE", () => openReporter({ url, token, log, timing }));
    expect(failure).toMatchObject({ option: "--report-token", problem: expect.stringContaining("blanks") });
  });

  it("goes on without a document that can't be read, and names it", async () => {
    const { server, gate, id } = await reportedJob();
    await gate.open();
    const outcome = await runOutcome();
    const path = `${outcome.modelDirectory}/no-such.xml`;
    const told = await reporterFor(gate, id).finish({ ...outcome, documents: [{ part: "trainingresult", path }] });

    expect(told).toMatchObject({ kind: "incomplete", undelivered: ["document trainingresult"] });
    expect((await server.service.detail(id)).job.status).toBe("FINISHED");
  });
});
