import { describe, expect, it, onTestFinished } from "vitest";
import { ApiClient } from "../../../../../coordinator/dashboard/api/api-client.js";
import { JobController } from "../../../../../coordinator/dashboard/controllers/job-controller.js";
import type { PageSight } from "../../../../../coordinator/dashboard/controllers/page-sight.js";
import { EMPTY_JOB, type JobState, reduceJob } from "../../../../../coordinator/dashboard/stores/job-store.js";
import { createStore } from "../../../../../coordinator/dashboard/stores/store.js";
import { DashboardServer } from "../../../../support/dashboard-server.js";
import { RecordedJob, recordedEvents } from "../../../../support/recorded-job.js";
import { stepEvent } from "../../../../support/train-events.js";

const ID = "digits-1";

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
});
