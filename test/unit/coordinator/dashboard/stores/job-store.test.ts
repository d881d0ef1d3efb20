import { describe, expect, it } from "vitest";
import type { NumberedEvent } from "../../../../../coordinator/dashboard/api/follow-events.js";
import { EMPTY_JOB, type JobState, reduceJob } from "../../../../../coordinator/dashboard/stores/job-store.js";
import { lastX, meanOf } from "../../../../../coordinator/dashboard/stores/thinned-series.js";
import type { JobEvent } from "../../../../../shared/api/job-event.js";
import { RecordedJob, recordedEvents } from "../../../../support/recorded-job.js";
import { epochEvent, startedEvent, stepEvent } from "../../../../support/train-events.js";

const numbered = (events: readonly JobEvent[], first = 1): NumberedEvent[] =>
  events.map((event, index) => ({ id: first + index, event }));

/** The page's state when it was opened after some events. */
function openedAfter(events: readonly JobEvent[]): JobState {
  const job = new RecordedJob("a".repeat(24), "digits");
  for (const event of events) job.hear(event);
  return reduceJob(EMPTY_JOB, { kind: "loaded", detail: job.detail, metrics: job.metrics });
}

describe("job store", () => {
  it("shows the same whether events were there before the page or came while it was open", () => {
    const events = recordedEvents();
    const whole = openedAfter(events);
    for (const cut of [0, 1, 2, 9, events.length]) {
      const opened = openedAfter(events.slice(0, cut));
      const state = reduceJob(opened, { kind: "events", events: numbered(events.slice(cut), cut + 1) });
      expect(state.curves).toEqual(whole.curves);
      expect(state.lastEpoch).toEqual(whole.lastEpoch);
      expect(state.lastPoint).toEqual(whole.lastPoint);
      expect(state.detail?.started).toEqual(whole.detail?.started);
      expect(state.detail?.generation).toEqual(whole.detail?.generation);
      expect(state.detail?.lastStep).toEqual(whole.detail?.lastStep);
      expect(state.detail?.result).toEqual(whole.detail?.result);
      expect(state.detail?.job.trainLoss).toBe(whole.detail?.job.trainLoss);
      expect(state.lastEventId).toBe(events.length);
    }
  });

  it("takes every event once, however often it is told", () => {
    const events = recordedEvents().slice(0, 6);
    const warning: JobEvent = { event: "warning", message: "the data has constant columns" };
    const once = reduceJob(openedAfter(events), { kind: "events", events: numbered([warning], 7) });
    const twice = reduceJob(once, { kind: "events", events: numbered([...events.slice(3), warning], 4) });
    expect(twice).toBe(once);
    expect(twice.detail?.warnings).toEqual(["the data has constant columns"]);
  });

  it("begins with empty curves when the job starts again, and keeps what came after the start", () => {
    const again = [startedEvent({ workers: 1 }), stepEvent(1, 1), stepEvent(1, 2)];
    const before = openedAfter(recordedEvents());
    const state = reduceJob(before, { kind: "events", events: numbered(again, before.lastEventId + 1) });
    expect(state.curves.steps.buckets.map((bucket) => [bucket.x, meanOf(bucket, 0)])).toEqual([
      [1, 1],
      [2, 0.5],
    ]);
    expect(state.curves.epochs.buckets).toEqual([]);
    expect(state.detail).toMatchObject({ result: null, failure: null, job: { workers: 1, epoch: 0, trainLoss: null } });
  });

  it("goes on with the curves up to the checkpoint that the job resumes from", () => {
    const first = [startedEvent(), stepEvent(1, 1), stepEvent(1, 2), epochEvent(1), stepEvent(2, 3)];
    const before = openedAfter(first);
    const again: JobEvent[] = [
      startedEvent({ workers: 1 }),
      {
        event: "resumed",
        epoch: 1,
        step: 2,
        file: "runs/a/checkpoints/step-000000000002.ckpt",
        stateSha256: "0".repeat(64),
      },
    ];
    const state = reduceJob(before, { kind: "events", events: numbered(again, before.lastEventId + 1) });
    expect(state.curves.steps.buckets.map(({ x }) => x)).toEqual([1, 2]);
    expect(state.curves.epochs.buckets.map(({ x }) => x)).toEqual([2]);
    expect(state.detail?.job).toMatchObject({ workers: 1, epoch: 1, step: 2 });
    const next = reduceJob(state, { kind: "events", events: numbered([stepEvent(2, 3)], state.lastEventId + 1) });
    expect(next.curves.steps.buckets.map(({ x }) => x)).toEqual([1, 2, 3]);
  });

  it("keeps the warnings of an attempt from the time that the job waits, as the server does", () => {
    const warning = (message: string): JobEvent => ({ event: "warning", message });
    const status = (name: "QUEUED" | "INPROGRESS"): JobEvent => ({ event: "status", status: name, statusReason: null });
    const before = openedAfter([startedEvent(), warning("of the attempt before")]);
    const again = [status("QUEUED"), warning("worker 1 was lost"), status("INPROGRESS"), startedEvent()];
    const state = reduceJob(before, { kind: "events", events: numbered(again, before.lastEventId + 1) });
    expect(state.detail?.warnings).toEqual(["worker 1 was lost"]);
  });

  it("shows each warning once, and the latest of many", () => {
    const warning = (message: string): JobEvent => ({ event: "warning", message });
    const before = openedAfter([startedEvent()]);
    // An answer that is ahead of the events: they tell of the same again.
    const told = before.detail!;
    const ahead = { ...told, warnings: ["w"], lastEventId: before.lastEventId + 4 };
    const refreshed = reduceJob(before, { kind: "refreshed", detail: ahead });
    const heard = reduceJob(refreshed, { kind: "events", events: numbered([warning("w")], before.lastEventId + 3) });
    expect(heard.detail?.warnings).toEqual(["w"]);

    const many = Array.from({ length: 30 }, (_, index) => `step ${index} can't be saved`);
    const opened = reduceJob(before, { kind: "refreshed", detail: { ...told, warnings: [...many, ...many] } });
    expect(opened.detail?.warnings).toEqual(many.slice(-20));
  });

  it("follows status, end and failure", () => {
    const before = openedAfter(recordedEvents().slice(0, 4));
    const status: JobEvent = { event: "status", status: "INPROGRESS", statusReason: null };
    const running = reduceJob(before, { kind: "events", events: numbered([status], 5) });
    expect(running.detail?.job.status).toBe("INPROGRESS");
    const finished = recordedEvents().at(-1)!;
    const ended = reduceJob(running, { kind: "events", events: numbered([finished], 6) });
    expect(ended.detail).toMatchObject({ job: { status: "FINISHED" }, result: finished });
    const failed: JobEvent = {
      event: "failed",
      status: "ERROR",
      code: "WORKER_DIED",
      message: "worker rank 2 died",
      rank: 2,
      host: "node02",
    };
    const broken = reduceJob(running, { kind: "events", events: numbered([failed], 6) });
    const statusReason = { code: "WORKER_DIED", message: "worker rank 2 died" };
    expect(broken.detail?.job).toMatchObject({ status: "ERROR", statusReason });
  });

  it("keeps its size over a hundred thousand steps", () => {
    let state = openedAfter([startedEvent()]);
    for (let begin = 0; begin < 100_000; begin += 1_000) {
      const steps = Array.from({ length: 1_000 }, (_, index) => stepEvent(1, begin + index + 1));
      state = reduceJob(state, { kind: "events", events: numbered(steps, begin + 2) });
    }
    expect(lastX(state.curves.steps)).toBe(100_000);
    expect(JSON.stringify(state).length).toBeLessThan(800_000);
  });

  it("keeps what is shown when a command is refused or the connection is lost", () => {
    const shown = openedAfter(recordedEvents());
    const problem = {
      status: 409,
      code: "USAGE",
      message: "a FINISHED job can't be cancelled",
      path: null,
      line: null,
    };
    const refused = reduceJob(shown, { kind: "command", command: { kind: "refused", name: "cancel", problem } });
    const lost = reduceJob(refused, { kind: "connection", connection: { kind: "lost", problem, retryMs: 250 } });
    expect(lost).toMatchObject({ detail: shown.detail, command: { problem }, connection: { kind: "lost" } });
  });
});
