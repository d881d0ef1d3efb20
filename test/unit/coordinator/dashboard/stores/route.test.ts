import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashOf, routeOf } from "../../../../../coordinator/dashboard/stores/route.js";
import { JobStatusSchema } from "../../../../../shared/api/job-status.js";

const status = fc.constantFrom(null, ...JobStatusSchema.options);
const route = fc.oneof(
  status.map((one) => ({ page: "jobs", status: one }) as const),
  fc.string({ minLength: 1 }).map((id) => ({ page: "job", id }) as const),
  fc.constantFrom({ page: "workers" } as const, { page: "submit" } as const),
);

describe("routes", () => {
  it("come back from their addresses, whatever a job is called", () => {
    fc.assert(
      fc.property(route, (one) => {
        expect(routeOf(hashOf(one))).toEqual(one);
      }),
    );
  });

  it("never fail, and tell an unknown address as unknown", () => {
    fc.assert(
      fc.property(fc.string(), (hash) => {
        expect(routeOf(hash).page).toBeTypeOf("string");
      }),
    );
    for (const hash of ["#/nowhere", "#/jobs/a/b", "#/workers/7", "#/jobs/%"]) {
      expect(routeOf(hash)).toEqual({ page: "unknown", hash });
    }
  });

  it("begin at the jobs, and overlook a status that there is not", () => {
    for (const hash of ["", "#", "#/", "#/jobs", "#/jobs?status=LOST"]) {
      expect(routeOf(hash)).toEqual({ page: "jobs", status: null });
    }
  });
});
