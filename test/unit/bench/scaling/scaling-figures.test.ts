import { describe, expect, it } from "vitest";
import { inStep, together } from "../../../../bench/scaling/competitor.js";
import { comparisons, type SystemTurns, systemFigures } from "../../../../bench/scaling/scaling-figures.js";
import { comparisonTable, systemTable } from "../../../../bench/scaling/scaling-report.js";

function system(name: string, steps: readonly number[], more: Partial<SystemTurns> = {}): SystemTurns {
  const turns = steps.map((stepMs) => ({ stepMs, waitedMs: null }));
  return { name, side: "ours", kind: "ranks", isOwn: true, turns, ...more };
}

const waiting = [5, 6, 4].map((stepMs) => ({ stepMs, waitedMs: stepMs / 10 }));
const SYSTEMS: readonly SystemTurns[] = [
  system("shm", [], { turns: waiting }),
  system("alone", [4, 5, 4], { kind: "independent" }),
  system("DDP", [10, 9, 12], { side: "PyTorch", isOwn: false }),
  system("PyTorch alone", [8, 8, 8], { side: "PyTorch", isOwn: false, kind: "independent" }),
];

describe("systemFigures", () => {
  it("takes medians, and compares with the independent trainings of the same side and round", () => {
    const [shm, alone, ddp] = systemFigures(SYSTEMS, 200);
    expect(shm).toMatchObject({ stepMs: [4.5, 5, 5.5], rowsPerSecond: 40_000, waitedMs: 0.5, addedMs: 1 });
    expect(shm?.efficiency?.[1]).toBeCloseTo(5 / 6);
    expect(alone).toMatchObject({ waitedMs: null, addedMs: null, efficiency: null });
    expect(ddp).toMatchObject({ addedMs: 2, waitedMs: null });
  });

  it("compares with nothing when nothing independent ran", () => {
    expect(systemFigures(SYSTEMS.slice(0, 1), 200)[0]).toMatchObject({ addedMs: null, efficiency: null });
  });

  it("refuses systems of different rounds", () => {
    const short = system("alone", [4], { kind: "independent" });
    expect(() => systemFigures([system("shm", [5, 6]), short], 200)).toThrow("2 and 1 rounds");
  });
});

describe("comparisons", () => {
  it("divides what ranks of ours do by what ranks of peers do, within rounds", () => {
    const [pair, ...others] = comparisons(SYSTEMS, 200);
    expect(others).toEqual([]);
    // 10 ÷ 5, 9 ÷ 6 and 12 ÷ 4.
    expect(pair).toEqual({
      ...{ system: "shm", peer: "DDP", throughput: [1.75, 2, 2.5] },
      ...{ exposed: 0.5 / 2, exposedByDifference: 1 / 2 },
    });
  });

  it("has no share of an exchange that the peer doesn't show", () => {
    const hidden = SYSTEMS.map((one) =>
      one.name === "DDP" ? system("DDP", [8, 8, 7], { ...one, turns: flat(8) }) : one,
    );
    expect(comparisons(hidden, 200)[0]).toMatchObject({ exposed: null, exposedByDifference: null });
    expect(comparisonTable(comparisons(hidden, 200))).toContain("none");
  });
});

describe("what processes did together", () => {
  it("is what one would do that does all their steps", () => {
    // Steps of 2 ms and of 6 ms: 500 and 167 a second, in the mean as many as two of 3 ms each.
    expect(together([2, 6].map((stepMs) => ({ stepMs, waitedMs: null }))).stepMs).toBeCloseTo(3);
  });

  it("is the mean of clocks where they go in step", () => {
    expect(inStep([2, 4].map((stepMs) => ({ stepMs, waitedMs: null }))).stepMs).toBe(3);
  });
});

describe("the tables", () => {
  it("have a line for each system and pair", () => {
    const table = systemTable(systemFigures(SYSTEMS, 200)).split("\n");
    expect(table).toHaveLength(5);
    expect(table[1]).toMatch(/shm +40000 +5\.00 \(4\.50 to 5\.50\) +0\.50 +1\.00 +0\.83/);
    expect(comparisonTable(comparisons(SYSTEMS, 200))).toMatch(/shm ÷ DDP +2\.00 \(1\.75 to 2\.50\) +0\.25 +0\.50$/);
  });
});

function flat(stepMs: number): SystemTurns["turns"] {
  return [0, 1, 2].map(() => ({ stepMs, waitedMs: null }));
}
