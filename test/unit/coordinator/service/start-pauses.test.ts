import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { growingPauseMs, StartPauses } from "../../../../coordinator/service/start-pauses.js";
import { JobIdSchema } from "../../../../shared/ids.js";

const A = JobIdSchema.parse("0123456789abcdef01234567");
const B = JobIdSchema.parse("0123456789abcdef01234568");

describe("pauses of jobs that can't be started", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("grow from one failure to the next, up to half a minute", () => {
    expect([1, 2, 3, 7, 100].map(growingPauseMs)).toEqual([500, 1000, 2000, 30_000, 30_000]);
  });

  it("are each job's own, and tell of their end once", () => {
    using pauses = new StartPauses();
    let ends = 0;
    expect(pauses.begin(A, () => ends++)).toBe(500);
    expect([pauses.has(A), pauses.has(B)]).toEqual([true, false]);
    vi.advanceTimersByTime(499);
    expect(ends).toBe(0);
    vi.advanceTimersByTime(1);
    expect([pauses.has(A), ends]).toEqual([false, 1]);
    expect([pauses.begin(A, () => ends++), pauses.begin(B, () => ends++)]).toEqual([1000, 500]);
    pauses.forget(A);
    expect(pauses.has(A)).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(ends).toBe(2);
    expect(pauses.begin(A, () => ends++)).toBe(500);
  });

  it("end without a word with their keeper", () => {
    const pauses = new StartPauses();
    let ends = 0;
    pauses.begin(A, () => ends++);
    pauses[Symbol.dispose]();
    vi.advanceTimersByTime(60_000);
    expect([pauses.has(A), ends]).toEqual([false, 0]);
  });
});
