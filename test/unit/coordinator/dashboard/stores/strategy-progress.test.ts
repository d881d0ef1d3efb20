import { describe, expect, it } from "vitest";
import { strategyProgress } from "../../../../../coordinator/dashboard/stores/strategy-progress.js";
import { epochEvent, startedEvent } from "../../../../support/train-events.js";

const asynchronous = startedEvent({ configuration: { strategy: "async", maxStaleness: 4 } });
/** Rounds of 3, 3 and 1 steps. */
const inRounds = startedEvent({
  epochs: 5,
  stepsPerEpoch: 7,
  configuration: { strategy: "local-sgd", syncEvery: 3, stepsOfRound: 3 },
});

describe("strategyProgress", () => {
  it("has nothing to say before the start, and where workers exchange in every step", () => {
    expect(strategyProgress({ started: null, lastEpoch: null, step: 0 })).toBeNull();
    for (const configuration of [{}, { strategy: "sync" }]) {
      expect(strategyProgress({ started: startedEvent({ configuration }), lastEpoch: null, step: 0 })).toBeNull();
    }
  });

  it("of asynchronous jobs: staleness and lead in the last epoch, unknown before one is over", () => {
    const lastEpoch = epochEvent(2, { meanStaleness: 1.25, maxStaleness: 3, maxStepsAhead: 2 });
    const expected = { strategy: "async", meanStaleness: 1.25, maxStepsAhead: 2 };
    expect(strategyProgress({ started: asynchronous, lastEpoch, step: 4 })).toEqual(expected);
    const unknown = { strategy: "async", meanStaleness: null, maxStepsAhead: null };
    expect(strategyProgress({ started: asynchronous, lastEpoch: null, step: 1 })).toEqual(unknown);
  });

  it.each([
    [0, 0],
    [3, 1],
    // Its round is told step by step, all of it at its end.
    [4, 2],
    [6, 2],
    [7, 3],
    [10, 4],
    [35, 15],
  ])("of local-sgd: after step %i, %i of 15 rounds, the end of an epoch being the end of one", (step, rounds) => {
    const progress = { strategy: "local-sgd", rounds, ofRounds: 15 };
    expect(strategyProgress({ started: inRounds, lastEpoch: null, step })).toEqual(progress);
  });
});
