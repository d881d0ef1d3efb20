import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ApiClient } from "../../../../../coordinator/dashboard/api/api-client.js";
import { ApiError } from "../../../../../coordinator/dashboard/api/api-error.js";
import { JobController } from "../../../../../coordinator/dashboard/controllers/job-controller.js";
import type { PageSight } from "../../../../../coordinator/dashboard/controllers/page-sight.js";
import { EMPTY_JOB, type JobState, reduceJob } from "../../../../../coordinator/dashboard/stores/job-store.js";
import { createStore } from "../../../../../coordinator/dashboard/stores/store.js";
import { DashboardServer } from "../../../../support/dashboard-server.js";
import { RecordedJob, recordedEvents } from "../../../../support/recorded-job.js";
import { stepEvent } from "../../../../support/train-events.js";

const ID = "digits-1";
const AWAY = new ApiError({ status: 0, code: "UNREACHABLE", message: "no answer", path: null, line: null });

/** A page that the test shows and hides. */
class ScriptedSight implements PageSight {
  isHidden = false;
  readonly #listeners = new Set<() => void>();

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  hide(isHidden: boolean): void {
    this.isHidden = isHidden;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The page of a job that is at work, on a server of the test's own. */
async function jobPage() {
  const server = await DashboardServer.start({ page: null });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const job = server.add(new RecordedJob(ID, "digits"));
  job.hear(job.moveTo("INPROGRESS"));
  for (const event of recordedEvents().slice(0, 11)) job.hear(event);
  const tokens = { get: () => null, set: () => undefined };
  const api = new ApiClient({ origin: server.origin, tokens, unauthorised: () => undefined });
  const store = createStore(EMPTY_JOB, reduceJob);
  const sight = new ScriptedSight();
  const pause = () => Promise.resolve();
  const controller = new JobController({ api, jobId: ID, store, pause, sight });
  onTestFinished(() => controller.stop());
  void controller.start();
  const until = (found: (state: JobState) => boolean) => expect.poll(() => found(store.state)).toBe(true);
  await until(({ connection }) => connection.kind === "live");
  return { server, job, api, store, sight, until };
}

describe("JobController", () => {
  it("asks again for what a finished job has left, until an answer comes", async () => {
    const { server, job, api, until } = await jobPage();
    const asked = vi.spyOn(api, "job").mockRejectedValueOnce(AWAY).mockRejectedValueOnce(AWAY);
    job.files.push({ name: "weights.bin", href: "/storage/files/1", sizeBytes: 9 });
    server.push(ID, job.moveTo("FINISHED"));
    await until(({ detail, problem }) => detail?.files.length === 1 && problem === null);
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it("takes from an answer that events have overtaken what those don't tell", async () => {
    const { server, job, api, store, until } = await jobPage();
    const read = api.job.bind(api);
    const overtaken = vi.spyOn(api, "job").mockImplementationOnce(async (id, signal) => {
      const detail = await read(id, signal);
      server.push(ID, stepEvent(2, 99));
      await until(({ lastPoint }) => lastPoint?.step === 99);
      return detail;
    });
    job.change({ attempt: 3 });
    server.push(ID, job.moveTo("INPROGRESS"));
    await until(({ detail }) => detail?.job.attempt === 3);
    expect([store.state.lastPoint?.step, store.state.detail?.job.step]).toEqual([99, 99]);
    expect(overtaken).toHaveBeenCalledTimes(1);
  });

  it("gives up what is refused", async () => {
    const { server, job, api, until } = await jobPage();
    const gone = new ApiError({ status: 404, code: "NOT_FOUND", message: "gone", path: null, line: null });
    const asked = vi.spyOn(api, "job").mockRejectedValue(gone);
    server.push(ID, job.moveTo("ERROR"));
    await until(({ problem }) => problem?.code === "NOT_FOUND");
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("says that it follows a job no longer that was deleted elsewhere", async () => {
    const { server, until } = await jobPage();
    server.jobs.delete(ID);
    server.dropStreams();
    await until(({ problem, connection }) => problem?.code === "NOT_FOUND" && connection.kind === "ended");
  });

  it("holds no connection open while nobody sees the page, and goes on behind the last event", async () => {
    const { server, job, sight, until } = await jobPage();
    const known = job.events.length;
    server.push(ID, stepEvent(2, 9));
    await until(({ lastPoint }) => lastPoint?.step === 9);
    sight.hide(true);
    await expect.poll(() => server.openStreams).toBe(0);
    server.push(ID, stepEvent(2, 10));
    sight.hide(false);
    await until(({ lastPoint }) => lastPoint?.step === 10);
    expect(server.resumedAfter).toEqual([known, known + 1]);
  });

  it("reads the curves anew when it was away for longer than events are kept", async () => {
    const { server, job, store, sight, until } = await jobPage();
    sight.hide(true);
    await expect.poll(() => server.openStreams).toBe(0);
    const known = store.state.lastEventId;
    server.hear(ID, { event: "warning", message: "one that is kept" });
    for (const event of recordedEvents().slice(11)) {
      if (event.event === "step" || event.event === "epoch") server.hear(ID, event);
    }
    server.forget(ID);
    const last = job.metrics.steps.at(-1)!.step;
    server.hear(ID, stepEvent(4, last + 1));
    sight.hide(false);
    await until(({ lastPoint, connection }) => lastPoint?.step === last + 1 && connection.kind === "live");
    expect(store.state.curves.epochs.buckets.map(({ x }) => x)).toEqual(job.metrics.epochs.map(({ steps }) => steps));
    expect(store.state.curves.steps.buckets.map(({ x }) => x)).toEqual(job.metrics.steps.map(({ step }) => step));
    server.push(ID, stepEvent(4, last + 2));
    await until(({ lastPoint }) => lastPoint?.step === last + 2);
    expect(server.resumedAfter).toEqual([known, known, job.events.length - 1]);
  });
});
