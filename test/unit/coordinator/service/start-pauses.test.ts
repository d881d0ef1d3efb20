import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { growingPauseMs } from "../../../../coordinator/service/growing-pause.js";
import { StartPauses } from "../../../../coordinator/service/start-pauses.js";
import { type JobId, JobIdSchema } from "../../../../shared/ids.js";
import { LogMessages } from "../../../support/log-messages.js";

const A = JobIdSchema.parse("0123456789abcdef01234567");
const B = JobIdSchema.parse("0123456789abcdef01234568");

describe("pauses of jobs that can't be started", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("grow from one failure to the next, up to half a minute", () => {
    expect([1, 2, 3, 7, 100].map(growingPauseMs)).toEqual([500, 1000, 2000, 30_000, 30_000]);
  });

  it("are each job's own, and tell of their end once", () => {
    using pauses = new StartPauses(new LogMessages().log);
    let ends = 0;
    const begin = (id: JobId) => pauses.begin(id, new Error("no space"), () => ends++);
    begin(A);
    expect([pauses.has(A), pauses.has(B)]).toEqual([true, false]);
    vi.advanceTimersByTime(499);
    expect(ends).toBe(0);
    vi.advanceTimersByTime(1);
    expect([pauses.has(A), ends]).toEqual([false, 1]);
    begin(A);
    begin(B);
    vi.advanceTimersByTime(500);
    expect([pauses.has(A), pauses.has(B), ends]).toEqual([true, false, 2]);
    pauses.end(A);
    vi.advanceTimersByTime(60_000);
    expect([pauses.has(A), ends]).toEqual([false, 2]);
    begin(A);
    vi.advanceTimersByTime(500);
    expect([pauses.has(A), ends]).toEqual([false, 3]);
  });

  it("are told to the log once for each cause, and so is their end", () => {
    const heard = new LogMessages();
    using pauses = new StartPauses(heard.log);
    const error = (message: string) => Object.assign(new Error(message), { stack: message });
    for (const [id, problem] of [
      [A, "full"],
      [B, "full"],
      [A, "gone"],
    ] as const) {
      pauses.begin(id, error(problem), () => undefined);
    }
    expect(heard.count(/could not be started/)).toBe(2);
    for (const id of [A, B]) pauses.end(id);
    expect(heard.count(/can be started again/)).toBe(1);
  });

  it("end without a word with their keeper", () => {
    const pauses = new StartPauses(new LogMessages().log);
    let ends = 0;
    pauses.begin(A, new Error("no space"), () => ends++);
    pauses[Symbol.dispose]();
    vi.advanceTimersByTime(60_000);
    expect([pauses.has(A), ends]).toEqual([false, 0]);
  });
});
