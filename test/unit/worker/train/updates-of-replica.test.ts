import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replicaSpan, stepSpan, stepsPerEpoch } from "../../../../shared/epoch-plan.js";
import type { JobSpec } from "../../../../shared/job-spec.js";
import { updatesOfReplica } from "../../../../worker/train/updates-of-replica.js";

const whole = (max: number, min = 1) => fc.integer({ min, max });

describe("updatesOfReplica", () => {
  it("counts the steps for which a replica has rows", () => {
    fc.assert(
      fc.property(whole(50), whole(60), whole(9), whole(200, 0), (rowCount, batchSize, replicas, steps) => {
        const spec = { dataset: { train: { rowCount } }, batchSize, replicas } as unknown as JobSpec;
        const perEpoch = stepsPerEpoch(rowCount, batchSize);
        for (let replica = 0; replica < replicas; replica++) {
          const counted = Array.from({ length: steps }, (_, step) =>
            replicaSpan(stepSpan(rowCount, batchSize, step % perEpoch), replica, replicas),
          ).filter(({ from, to }) => to > from).length;
          expect(updatesOfReplica(spec, replica, steps)).toBe(counted);
        }
      }),
    );
  });
});
