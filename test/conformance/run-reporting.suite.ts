import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JobReporter } from "../../coordinator/report/job-reporter.js";
import type { JobService } from "../../coordinator/service/job-service.js";
import type { JobId } from "../../shared/ids.js";
import { MODEL_FILES } from "../../shared/model-file/model-facts.js";
import type { TrainEvent } from "../../shared/train-events.js";
import { keptEvents } from "../support/report-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { epochEvent, finishedEvent, startedEvent, stepEvent } from "../support/train-events.js";

/** A way of reporting, with a server at its other end. */
export interface ReportingWay {
  /** A job that waits, and what reports a run of it. */
  open(): Promise<ReportedJob>;
}

export interface ReportedJob {
  readonly id: JobId;
  openReporter(): JobReporter;
  /** The server as it is now. */
  service(): JobService;
  /** The server goes away; nothing that it has acknowledged is lost. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const RUN: readonly TrainEvent[] = [
  { event: "warning", message: "the data is small" },
  startedEvent(),
  ...[1, 2].map((step) => stepEvent(1, step)),
  epochEvent(1),
  ...[3, 4].map((step) => stepEvent(2, step)),
  epochEvent(2),
];

/** What every way of reporting out must do. */
export function runReportingSuite(name: string, way: ReportingWay): void {
  describe(`${name} reports a run that happens elsewhere`, () => {
    it("from its begin to its result, once each, in order", async () => {
      const job = await way.open();
      const reporter = job.openReporter();
      for (const event of RUN) reporter.report(event);
      expect(await reporter.finish(await runOutcome())).toEqual({ kind: "delivered", stepsLeftOut: 0 });
      await expect.poll(() => statusOf(job), { timeout: 10_000 }).toBe("FINISHED");

      await expectWholeRun(job);
      const { object } = await job.service().object(job.id);
      expect(JSON.stringify(object)).toContain("made by the run");
      const files = await job.service().modelFiles(job.id);
      expect([...files.keys()].sort()).toEqual(Object.values(MODEL_FILES).sort());
    });

    it("says why a run failed", async () => {
      const job = await way.open();
      const reporter = job.openReporter();
      reporter.report(startedEvent());
      const outcome = await reporter.fail({
        code: "INPUT_MISSING",
        file: "iris.csv",
        problem: "it went",
        remedy: "Look",
      });
      expect(outcome.kind).toBe("delivered");
      await expect.poll(() => statusOf(job), { timeout: 10_000 }).toBe("ERROR");

      const { job: summary } = await job.service().detail(job.id);
      expect(summary.statusReason?.message).toBe("iris.csv: it went. Look");
      expect((await keptEvents(job.service(), job.id)).at(-1)?.kind).toBe("failed");
    });

    it("says so however much there is to say", async () => {
      const job = await way.open();
      const reporter = job.openReporter();
      // As long as the stack of an error can be, in characters that an address spells out.
      const problem = `it broke 🎡${" at näher.ts:1".repeat(500)}`;
      expect((await reporter.fail({ code: "INTERNAL", problem })).kind).toBe("delivered");
      await expect.poll(() => statusOf(job), { timeout: 10_000 }).toBe("ERROR");

      const { job: summary } = await job.service().detail(job.id);
      expect(summary.statusReason?.message).toContain("it broke 🎡 at näher.ts:1");
    });

    it("goes on behind what was heard when the server was away", async () => {
      const job = await way.open();
      const reporter = job.openReporter();
      for (const event of RUN.slice(0, 4)) reporter.report(event);
      await expect.poll(async () => (await job.service().detail(job.id)).job.step, { timeout: 10_000 }).toBe(2);
      await job.stop();
      for (const event of RUN.slice(4)) reporter.report(event);
      await job.start();
      expect((await reporter.finish(await runOutcome())).kind).toBe("delivered");
      await expect.poll(() => statusOf(job), { timeout: 10_000 }).toBe("FINISHED");

      await expectWholeRun(job);
    });

    it("tells all of a run that has begun anew, whose curves are its own", async () => {
      const job = await way.open();
      const told = [...RUN.slice(0, 2), ...Array.from({ length: 9 }, (_, index) => stepEvent(1, index + 1))];
      await lost(job, told, 9);
      const second = job.openReporter();
      for (const event of RUN) second.report(event);
      expect((await second.finish(await runOutcome())).kind).toBe("delivered");
      await expect.poll(() => statusOf(job), { timeout: 10_000 }).toBe("FINISHED");

      await expectWholeRun(job, told);
    });

    it("keeps the curves before the state that a run goes on from", async () => {
      const job = await way.open();
      await lost(job, [...RUN, stepEvent(3, 5)], 5);
      const second = job.openReporter();
      const resumed = {
        event: "resumed",
        epoch: 2,
        step: 3,
        file: "checkpoints/3",
        stateSha256: "a".repeat(64),
      } as const;
      for (const event of [startedEvent(), resumed]) second.report(event);
      await expect.poll(async () => (await job.service().detail(job.id)).job.step, { timeout: 10_000 }).toBe(3);

      const metrics = await job.service().metrics(job.id, { from: 0, limit: 100 });
      expect(metrics.steps.map(({ step }) => step)).toEqual([1, 2, 3]);
      expect(metrics.epochs).toEqual([epochEvent(1)]);
      expect((await second.fail({ code: "INTERRUPTED", signal: "SIGTERM" })).kind).toBe("delivered");
    });
  });
}

/** The run's last event, its model, and a document, as files. */
export async function runOutcome(): Promise<Parameters<JobReporter["finish"]>[0]> {
  const directory = await temporaryDirectory();
  const modelDirectory = join(directory, "model");
  await mkdir(modelDirectory);
  for (const name of Object.values(MODEL_FILES)) await writeFile(join(modelDirectory, name), `content of ${name}`);
  const path = join(directory, "resultschema.xml");
  const xml = "<resultschema><resultdata>made by the run</resultdata></resultschema>";
  await writeFile(path, xml);
  return { finished: finishedEvent(), modelDirectory, documents: [{ part: "result", path }] };
}

async function statusOf(job: ReportedJob): Promise<string> {
  return (await job.service().detail(job.id)).job.status;
}

/** A run reports this much of itself, until it has come to a step, and ends without a word. */
async function lost(job: ReportedJob, events: readonly TrainEvent[], step: number): Promise<void> {
  const reporter = job.openReporter();
  for (const event of events) reporter.report(event);
  await expect.poll(async () => (await job.service().detail(job.id)).job.step, { timeout: 10_000 }).toBe(step);
  await reporter[Symbol.asyncDispose]();
}

/** @param before what a run before it has told */
async function expectWholeRun(job: ReportedJob, before: readonly TrainEvent[] = []): Promise<void> {
  const told = (await keptEvents(job.service(), job.id)).map(({ data }) => JSON.parse(data));
  const own = told.filter(({ event, message }) => event !== "warning" || message === "the data is small");
  const id = { jobId: job.id };
  const expected = [...before, ...RUN, finishedEvent()].map((event) =>
    "jobId" in event ? { ...event, ...id } : event,
  );
  expect(own).toEqual(expected);
  const metrics = await job.service().metrics(job.id, { from: 0, limit: 100 });
  expect(metrics.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
  expect(metrics.epochs).toEqual([epochEvent(1), epochEvent(2)]);
}
