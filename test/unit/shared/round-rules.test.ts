import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepsPerEpoch } from "../../../shared/epoch-plan.js";
import { endOfRound, outerOptimizer, type RoundRules, stepsOfRound } from "../../../shared/round-rules.js";

const rules = (syncEvery: number): RoundRules => ({ syncEvery, outer: { learningRate: 1, momentum: 0 } });

/** Last steps of the rounds of some epochs. */
function ends(syncEvery: number, stepsOfEpoch: number, epochs: number): number[] {
  const found: number[] = [];
  for (let done = 0; done < epochs * stepsOfEpoch; ) {
    done = endOfRound(rules(syncEvery), done, stepsOfEpoch);
    found.push(done);
  }
  return found;
}

describe("rounds", () => {
  it("have H steps, and begin anew with every epoch", () => {
    expect(ends(3, 7, 2)).toEqual([3, 6, 7, 10, 13, 14]);
    expect(ends(7, 7, 2)).toEqual([7, 14]);
    expect(ends(100, 7, 2)).toEqual([7, 14]);
    expect(ends(1, 3, 1)).toEqual([1, 2, 3]);
  });

  it("end where they would have ended, wherever they are gone on with", () => {
    const sizes = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 0, max: 200 }), (syncEvery, stepsOfEpoch, done) => {
        const end = endOfRound(rules(syncEvery), done, stepsOfEpoch);
        const all = ends(syncEvery, stepsOfEpoch, Math.ceil((done + 1) / stepsOfEpoch));
        expect(end).toBe(all.find((each) => each > done));
        expect(end - done).toBeLessThanOrEqual(syncEvery);
      }),
    );
  });

  it("have no more steps than an epoch", () => {
    expect(stepsPerEpoch(100, 30)).toBe(4);
    expect([2, 4, 9].map((syncEvery) => stepsOfRound(rules(syncEvery), 100, 30))).toEqual([2, 4, 4]);
  });

  it("are followed by plain descent, or Nesterov's where there is momentum", () => {
    expect(outerOptimizer(rules(1))).toEqual({ kind: "sgd", learningRate: 1 });
    const diloco = { syncEvery: 1, outer: { learningRate: 0.7, momentum: 0.9 } };
    expect(outerOptimizer(diloco)).toEqual({ kind: "nesterov", learningRate: 0.7, momentum: 0.9 });
  });
});
