import { describe, expect, it } from "vitest";
import { JOB_STATUSES } from "../../../../coordinator/job/job-state.js";
import { JobDetailSchema } from "../../../../shared/api/job-detail.js";
import { JobEventSchema } from "../../../../shared/api/job-event.js";
import { JobMetricsSchema } from "../../../../shared/api/job-metrics.js";
import { JobStatusSchema } from "../../../../shared/api/job-status.js";
import { RecordedJob, recordedEvents } from "../../../support/recorded-job.js";

describe("schemas of the REST interface", () => {
  it("know the same statuses as the job's state machine, in its order", () => {
    expect(JobStatusSchema.options).toEqual([...JOB_STATUSES]);
  });

  it("take what a real run tells, whole and unchanged", () => {
    const job = new RecordedJob("a".repeat(24), "digits");
    for (const event of recordedEvents()) {
      expect(JobEventSchema.parse(event)).toEqual(event);
      job.hear(event);
    }
    const { detail, metrics } = job;
    expect(JobDetailSchema.parse(JSON.parse(JSON.stringify(detail)))).toEqual(detail);
    expect(JobMetricsSchema.parse(JSON.parse(JSON.stringify(metrics)))).toEqual(metrics);
    expect(metrics.steps.length).toBeGreaterThan(metrics.epochs.length);
  });

  it("refuse files that lie on another server", () => {
    const { detail } = new RecordedJob("a".repeat(24), "digits");
    for (const href of ["//elsewhere.example/model", "https://elsewhere.example/model", "javascript:alert(1)"]) {
      const files = [{ name: "model", href, sizeBytes: 1 }];
      expect(JobDetailSchema.safeParse({ ...detail, files }).error?.issues[0]?.path).toEqual(["files", 0, "href"]);
    }
  });
});
