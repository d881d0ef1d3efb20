import { describe, expect, it } from "vitest";
import { hostChart } from "../../../bench/allreduce/chart-of-allreduce.js";
import { decades, type LineChart, lineChart } from "../../../bench/support/line-chart.js";

const CHART: LineChart = {
  title: "a < b",
  note: "n",
  x: { label: "x", scale: "log", format: String, ticks: [1, 10, 100] },
  y: { label: "y", scale: "linear", format: String, ticks: [0, 1] },
  panels: [
    {
      title: "first",
      lines: [
        {
          name: "ours",
          isOwn: true,
          points: [
            [1, 0],
            [10, 0.5],
            [100, 1],
          ],
        },
        {
          name: "theirs",
          isOwn: false,
          points: [
            [1, 1],
            [100, 1],
          ],
        },
      ],
    },
  ],
};

describe("lineChart", () => {
  it("puts points where their values are, on logarithmic and linear axes", () => {
    const lines = [...lineChart(CHART).matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points?.split(" "));
    const [ours, theirs] = lines.map((points) => points?.map((point) => point.split(",").map(Number)));
    const [[x1 = 0, y1 = 0], [x2 = 0, y2 = 0], [x3 = 0, y3 = 0]] = ours as [number[], number[], number[]];
    expect(x2 - x1).toBeCloseTo(x3 - x2, 0);
    expect(y1 - y2).toBeCloseTo(y2 - y3, 0);
    expect(y1).toBeGreaterThan(y3);
    expect(theirs).toEqual([
      [x1, y3],
      [x3, y3],
    ]);
  });

  it("names lines at their ends, without covering one another", () => {
    const svg = lineChart(CHART);
    const names = [...svg.matchAll(/y="([\d.]+)" fill="[^"]+"[^>]*>(ours|theirs)</g)].map(([, y]) => Number(y));
    expect(Math.abs((names[0] ?? 0) - (names[1] ?? 0))).toBeGreaterThanOrEqual(13);
  });

  it("puts names beside each other's lines where there is room, and below each other where there is none", () => {
    const ending = (name: string, x: number, y: number) => ({
      name,
      isOwn: true,
      points: [[1, 0] as const, [x, y] as const],
    });
    const lines = [
      ending("left", 1.5, 0.5),
      ending("right", 90, 0.5),
      ending("under", 90, 0.49),
      ending("last", 92, 0.5),
    ];
    const svg = lineChart({ ...CHART, panels: [{ title: "", lines }] });
    const places = new Map(
      [...svg.matchAll(/x="([\d.]+)" y="([\d.]+)" fill="[^"]+"[^>]*>(\w+)</g)].map(([, x, y, name]) => [
        name,
        [Number(x), Number(y)] as const,
      ]),
    );
    const [leftX, leftY] = places.get("left") ?? [];
    const [rightX = 0, rightY] = places.get("right") ?? [];
    expect(leftX).toBeLessThan(rightX - 100);
    expect(leftY).toBe(rightY);
    const heights = ["right", "last", "under"].map((name) => places.get(name)?.[1] ?? Number.NaN).sort((a, b) => a - b);
    expect((heights[1] ?? 0) - (heights[0] ?? 0)).toBeCloseTo(13, 5);
    expect((heights[2] ?? 0) - (heights[1] ?? 0)).toBeCloseTo(13, 5);
  });

  it("is an escaped document without a ground of its own", () => {
    const svg = lineChart(CHART);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" .*aria-label="a &lt; b"/);
    expect(svg).not.toMatch(/a < b|<rect|<script|NaN|Infinity/);
  });
});

describe("decades", () => {
  it("enclose all values", () => {
    expect(decades([3, 250])).toEqual([1, 10, 100, 1000]);
    expect(decades([1])).toEqual([1, 10]);
  });
});

describe("hostChart", () => {
  it("draws a panel for each number of ranks and a line for each system", () => {
    const row = { algbw: 1, busbw: 1, ratioToGloo: 1, fractionOfCopy: 1, wrong: 0, rounds: [] };
    const rows = [2, 4].flatMap((ranks) =>
      ["shm", "gloo"].flatMap((system) =>
        [4, 1024, 1_048_576].map((bytes) => ({ ...row, system, ranks, bytes, microseconds: 10 + bytes / ranks })),
      ),
    );
    const svg = hostChart(rows, ["shm"]);
    expect(svg.match(/<polyline/g)).toHaveLength(4);
    expect(svg).toContain("2 ranks · time of one all-reduce");
    expect(svg).toContain("4 ranks");
    for (const label of ["1M<", "64K<", "1 ms<", "10 µs<"]) expect(svg).toContain(label);
    expect(svg).not.toContain("NaN");
  });
});
