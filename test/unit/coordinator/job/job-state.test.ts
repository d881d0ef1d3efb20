import { describe, expect, it } from "vitest";
import { JOB_STATUSES, type JobEvent, nextJobStatus } from "../../../../coordinator/job/job-state.js";

describe("nextJobStatus", () => {
  it("allows these moves and no others", () => {
    const events: JobEvent[] = ["queue", "start", "finish", "fail"];
    const moves = JOB_STATUSES.flatMap((status) =>
      events.flatMap((event) => {
        const next = nextJobStatus(status, event);
        return next.kind === "moved" ? [`${status} ${event} ${next.status}`] : [];
      }),
    );
    expect(moves).toEqual([
      "CREATED queue QUEUED",
      "CREATED fail ERROR",
      "QUEUED start INPROGRESS",
      "QUEUED fail ERROR",
      "INPROGRESS finish FINISHED",
      "INPROGRESS fail ERROR",
      "FINISHED queue QUEUED",
      "ERROR queue QUEUED",
    ]);
  });

  it("says why it refuses, and what it would allow", () => {
    expect(nextJobStatus("CREATED", "start")).toEqual({
      kind: "refused",
      reason: "a job that is CREATED can't start",
      allowed: ["queue", "fail"],
    });
  });
});
