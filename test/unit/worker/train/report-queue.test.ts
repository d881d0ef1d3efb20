import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import type { StepReport, WorkerBody } from "../../../../shared/protocol/control-message.js";
import { ReportQueue } from "../../../../worker/train/report-queue.js";

const job = { jobId: JobIdSchema.parse("j"), generation: GenerationSchema.parse(1) };

function report(step: number): StepReport {
  const figures = { loss: 1, accuracy: null, totalRows: 1, learningRate: 0.1, replicas: [0], rows: 1 };
  return { epoch: 1, step, ...figures, computeMs: 1, communicationMs: 0, sentBytes: 0, receivedBytes: 0 };
}

function stepsOf(sent: readonly WorkerBody[]): number[][] {
  return sent.map((body) => (body.kind === "steps" ? body.reports.map(({ step }) => step) : []));
}

/** Adds reports, so many milliseconds apart. @returns the steps of each message */
function messagesOf(count: number, apartMs: number): number[][] {
  const sent: WorkerBody[] = [];
  const queue = new ReportQueue(job, (body) => sent.push(body));
  for (let step = 1; step <= count; step++) {
    queue.add([report(step)]);
    vi.advanceTimersByTime(apartMs);
  }
  queue.flush();
  queue.flush();
  return stepsOf(sent);
}

describe("ReportQueue", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("tells slow steps one by one, at once", () => {
    expect(messagesOf(3, 10_000)).toEqual([[1], [2], [3]]);
  });

  it("bundles fast ones, in order, each once", () => {
    expect(messagesOf(12, 25)).toEqual([[1], [2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12]]);
    const many = messagesOf(600, 0);
    expect(many.map(({ length }) => length)).toEqual([1, 256, 256, 87]);
    expect(many.flat()).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
  });

  it("tells all steps of a slow round when it ends, and bundles fast rounds whole", () => {
    const sent: WorkerBody[] = [];
    const queue = new ReportQueue(job, (body) => sent.push(body));
    for (const [round, tookMs] of [150, 150, 40, 40, 40].entries()) {
      vi.advanceTimersByTime(tookMs);
      queue.add([report(2 * round + 1), report(2 * round + 2)]);
    }
    expect(stepsOf(sent)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6, 7, 8, 9, 10],
    ]);
  });

  it("tells a long round in messages no larger than others, in order", () => {
    const sent: WorkerBody[] = [];
    const queue = new ReportQueue(job, (body) => sent.push(body));
    const steps = Array.from({ length: 1000 }, (_, index) => index + 1);
    queue.add(steps.map(report));
    expect(stepsOf(sent).map(({ length }) => length)).toEqual([256, 256, 256, 232]);
    expect(stepsOf(sent).flat()).toEqual(steps);
  });
});
