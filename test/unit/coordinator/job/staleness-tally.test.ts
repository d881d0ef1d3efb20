import { describe, expect, it } from "vitest";
import { StalenessTally } from "../../../../coordinator/job/staleness-tally.js";

describe("StalenessTally", () => {
  it("tells the figures of each epoch, and nothing of synchronous steps", () => {
    const tally = new StalenessTally();
    tally.add({});
    expect(tally.take()).toEqual({});
    tally.add({ staleness: 3, stepsAhead: 0 });
    tally.add({ staleness: 0, stepsAhead: 2 });
    expect(tally.take()).toEqual({ meanStaleness: 1.5, maxStaleness: 3, maxStepsAhead: 2 });
    tally.add({ staleness: 1, stepsAhead: 1 });
    expect(tally.take()).toEqual({ meanStaleness: 1, maxStaleness: 1, maxStepsAhead: 1 });
    expect(tally.take()).toEqual({});
  });
});
