import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventBatch } from "../../../../../coordinator/dashboard/controllers/event-batch.js";

describe("event batch", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("hands on what has come in together, once an interval", () => {
    const handed: (readonly number[])[] = [];
    const batch = new EventBatch<number>((items) => handed.push(items), 100, 10);
    batch.add([1, 2]);
    vi.advanceTimersByTime(60);
    batch.add([3]);
    expect(handed).toEqual([]);
    vi.advanceTimersByTime(40);
    expect(handed).toEqual([[1, 2, 3]]);
    vi.advanceTimersByTime(500);
    batch.add([4]);
    vi.advanceTimersByTime(100);
    expect(handed).toEqual([[1, 2, 3], [4]]);
  });

  it("does not wait when much has come in, and then not twice", () => {
    const handed: (readonly number[])[] = [];
    const batch = new EventBatch<number>((items) => handed.push(items), 100, 3);
    batch.add([1]);
    batch.add([2, 3, 4]);
    expect(handed).toEqual([[1, 2, 3, 4]]);
    vi.advanceTimersByTime(500);
    expect(handed).toHaveLength(1);
  });

  it("hands nothing on after it was cleared", () => {
    const handed: (readonly number[])[] = [];
    const batch = new EventBatch<number>((items) => handed.push(items));
    batch.add([1]);
    batch.clear();
    vi.advanceTimersByTime(500);
    batch.flush();
    expect(handed).toEqual([]);
  });
});
