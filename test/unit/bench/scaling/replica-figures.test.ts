import { describe, expect, it } from "vitest";
import { replicaCosts, replicaTable } from "../../../../bench/scaling/replica-figures.js";

const turnsOf = (turns: readonly (readonly [step: number, waited: number | null])[]) =>
  turns.map(([stepMs, waitedMs]) => ({ stepMs, waitedMs }));
const BASE = {
  replicas: 2,
  turns: turnsOf([
    [4, 1],
    [5, 1],
    [8, 2],
  ]),
};
const DOUBLE = {
  replicas: 4,
  turns: turnsOf([
    [6, 2],
    [5, 3],
    [16, 5],
  ]),
};

describe("replicaCosts", () => {
  it("are ratios within rounds to the first", () => {
    const [base, double] = replicaCosts([BASE, DOUBLE]);
    expect(base).toEqual({ replicas: 2, stepMs: 5, exchangeMs: 1, step: [1, 1, 1], exchange: [1, 1, 1] });
    // 6 ÷ 4, 5 ÷ 5, 16 ÷ 8 and 2, 3, 5 ÷ 2.
    expect(double).toEqual({
      replicas: 4,
      stepMs: 6,
      exchangeMs: 3,
      step: [1.25, 1.5, 1.75],
      exchange: [2.25, 2.5, 2.75],
    });
  });

  it("refuse what was left out of a round, or tells nothing of its exchange", () => {
    expect(() => replicaCosts([BASE, { replicas: 4, turns: turnsOf([[1, 1]]) }])).toThrow("1 and 3 rounds");
    expect(() => replicaCosts([{ replicas: 1, turns: turnsOf([[1, null]]) }])).toThrow("exchange");
  });

  it("stand in a table, a line each", () => {
    expect(
      replicaTable(replicaCosts([BASE, DOUBLE]))
        .split("\n")
        .at(-1),
    ).toMatch(/4 +6\.00 +1\.50 \(1\.25 to 1\.75\) +3\.00 +2\.50 \(2\.25 to 2\.75\)$/);
  });
});
