import { describe, expect, it } from "vitest";
import { figureTable, pairRows, reportRows, reportTable } from "../../../bench/allreduce/allreduce-report.js";
import { crowded, readSizes, sizeArgument, sizePlan, sizePlans } from "../../../bench/allreduce/size-plan.js";

const at = (microseconds: number, wrong = 0) => [{ count: 256, microseconds, wrong }];

describe("sizePlans", () => {
  it("doubles from 4 bytes to 128 MiB, with fewer repetitions the longer they take", () => {
    const plans = sizePlans(4, 128 * 1024 * 1024);
    expect(plans).toHaveLength(26);
    expect([plans[0]?.count, plans.at(-1)?.count]).toEqual([1, 32 * 1024 * 1024]);
    expect(plans.map(({ repetitions }) => repetitions)).toEqual(
      plans.map(({ repetitions }) => repetitions).sort((a, b) => b - a),
    );
    expect(plans.at(-1)?.repetitions).toBeGreaterThanOrEqual(3);
  });

  it("repeats small sizes less often where ranks are crowded", () => {
    expect(crowded(sizePlan(4))).toEqual({ count: 1, repetitions: 200, warmUps: 20 });
    expect(crowded(sizePlan(128 * 1024 * 1024))).toEqual(sizePlan(128 * 1024 * 1024));
  });

  it("rounds to whole numbers of floats", () => {
    expect(sizePlan(1_700_000).count).toBe(425_000);
    expect(sizePlan(1).count).toBe(1);
  });

  it("pass through arguments of programs", () => {
    const plans = sizePlans(4, 1024);
    expect(readSizes(plans.map(sizeArgument))).toEqual(plans);
    for (const wrong of ["", "1:2", "1:2:3:4", "1:-2:3", "a:b:c"]) expect(() => readSizes([wrong])).toThrow(RangeError);
  });
});

describe("reportRows", () => {
  const measured = new Map([
    ["shm", [at(10), at(40), at(30, 2)]],
    ["gloo", [at(100), at(100), at(600)]],
  ]);

  it("takes medians, and the ratio to Gloo within each round", () => {
    const rows = reportRows(4, measured, new Map([[256, 3]]));
    expect(rows[0]).toMatchObject({ system: "shm", bytes: 1024, microseconds: 30, ratioToGloo: 0.1, wrong: 2 });
    expect(rows[0]?.fractionOfCopy).toBeCloseTo(0.1, 12);
    // 1024 bytes in 30 µs, over the ring's links 2 · 3/4 of it.
    expect(rows[0]?.algbw).toBeCloseTo(1024 / 30e-6 / 1e9, 12);
    expect(rows[0]?.busbw).toBeCloseTo((1024 / 30e-6 / 1e9) * 1.5, 12);
    expect(rows[1]).toMatchObject({ system: "gloo", ratioToGloo: 1 });
  });

  it("sets what goes over an MPI against the same MPI, round by round", () => {
    const rounds = new Map([
      ["mpi-mpich", [at(30), at(90), at(40)]],
      ["mpich", [at(10), at(60), at(40)]],
    ]);
    const pairs = [
      { name: "mpi-mpich", peer: "mpich" },
      { name: "mpi-openmpi", peer: "openmpi-shm" },
    ];
    expect(pairRows(pairs, rounds)).toEqual([{ system: "mpi-mpich", peer: "mpich", bytes: 1024, ratio: 1.5 }]);
  });

  it("has no ratios without Gloo", () => {
    const rows = reportRows(2, new Map([["shm", [at(10)]]]), new Map());
    expect(rows[0]?.ratioToGloo).toBeNull();
  });

  it("is shown with wrong sums in plain sight", () => {
    const table = reportTable(reportRows(2, measured, new Map([[256, 3]])));
    expect(table.split("\n").map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["bytes", "shm", "gloo"],
      ["1024", "30.0 (0.10) #wrong 2", "100"],
    ]);
  });

  it("is shown with all figures, a line for each system and size", () => {
    const table = figureTable(reportRows(4, measured, new Map([[256, 3]])));
    expect(table.split("\n").map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["system", "ranks", "bytes", "µs", "algbw", "busbw", "÷ gloo", "of copy", "#wrong"],
      ["shm", "4", "1024", "30.0", "0.034", "0.051", "0.10", "0.100", "2"],
      ["gloo", "4", "1024", "100.0", "0.010", "0.015", "1.00", "0.030", "0"],
    ]);
  });
});
