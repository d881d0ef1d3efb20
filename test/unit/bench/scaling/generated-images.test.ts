import { describe, expect, it } from "vitest";
import { rowsOfWholeSteps } from "../../../../bench/scaling/generated-images.js";

describe("rowsOfWholeSteps", () => {
  it.each([1, 200, 512, 300, 768, 2048, 2556, 5000])(
    "leaves no short step at the end of an epoch of %i rows a step",
    (batch) => {
      const rows = rowsOfWholeSteps(batch);
      expect(rows % batch).toBe(0);
      expect(rows).toBeGreaterThanOrEqual(25_600);
      expect(rows / batch).toBeGreaterThanOrEqual(10);
    },
  );

  it("is what it was for the sizes that are measured by default", () => {
    expect([200, 512].map(rowsOfWholeSteps)).toEqual([25_600, 25_600]);
  });
});
