import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { InterruptedFailure } from "../../../../coordinator/cli/interruption.js";
import { RunEnding } from "../../../../coordinator/service/run-ending.js";
import { RingstrasseError } from "../../../../shared/failure.js";

const END: InterruptedFailure = { code: "INTERRUPTED", signal: "the end of the server" };
const CANCELLED = new RingstrasseError({ code: "CANCELLED", what: "job", id: "a" });

describe("the end of a run", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("comes at once with the server's where there is nothing to save", () => {
    using ending = new RunEnding();
    ending.shutDown(END);
    expect(ending.signal.reason).toMatchObject({ failure: END });
    expect(ending.shutdown).toBe(END);
  });

  it("waits for the state to be saved, but not for ever", () => {
    using ending = new RunEnding();
    const saved: InterruptedFailure[] = [];
    using _stop = ending.onStop((failure) => saved.push(failure));
    ending.shutDown(END);
    expect(saved).toEqual([END]);
    vi.advanceTimersByTime(14_999);
    expect(ending.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(ending.signal.reason).toMatchObject({ failure: END });
    expect(ending.shutdown).toBe(END);
  });

  it("is that of whoever cancels the job meanwhile", () => {
    using ending = new RunEnding();
    using _stop = ending.onStop(() => undefined);
    ending.shutDown(END);
    ending.abort(CANCELLED);
    expect(ending.signal.reason).toBe(CANCELLED);
    expect(ending.shutdown).toBeNull();
  });

  it("leaves no clock behind, and a cancelled run is not saved", () => {
    const ending = new RunEnding();
    const stop = ending.onStop(() => undefined);
    ending.shutDown(END);
    stop[Symbol.dispose]();
    ending[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    using cancelled = new RunEnding();
    cancelled.abort(CANCELLED);
    cancelled.shutDown(END);
    expect(cancelled.shutdown).toBeNull();
  });
});
