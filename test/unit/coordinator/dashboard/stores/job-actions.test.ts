import { describe, expect, it } from "vitest";
import { JOB_BUTTONS } from "../../../../../coordinator/dashboard/stores/job-actions.js";
import { JobStatusSchema } from "../../../../../shared/api/job-status.js";

describe("buttons of a job", () => {
  it("offer what the life of a job allows in each status", () => {
    const names = JobStatusSchema.options.map((status) => [status, JOB_BUTTONS[status].map(({ name }) => name)]);
    expect(Object.fromEntries(names)).toEqual({
      CREATED: ["train", "delete"],
      QUEUED: ["cancel"],
      INPROGRESS: ["cancel"],
      FINISHED: ["retrain", "delete"],
      ERROR: ["retrain", "anew", "delete"],
    });
  });

  it("ask before anything is lost", () => {
    for (const { name, question } of Object.values(JOB_BUTTONS).flat()) {
      expect(question !== null).toBe(["anew", "cancel", "delete"].includes(name));
    }
  });
});
