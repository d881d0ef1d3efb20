import { type Axis, decades, type Line, lineChart } from "../support/line-chart.js";
import type { AllreduceRow } from "./allreduce-report.js";

export interface AllreducePanel {
  readonly title: string;
  readonly rows: readonly AllreduceRow[];
}

export interface AllreduceChart {
  readonly panels: readonly AllreducePanel[];
  /** Names of our systems. */
  readonly own: readonly string[];
  /** Where it was measured. */
  readonly where: string;
}

/** The picture of a run on one host: a panel for each number of ranks. Pure. */
export function hostChart(rows: readonly AllreduceRow[], own: readonly string[]): string {
  const ranks = [...new Set(rows.map((row) => row.ranks))];
  const panels = ranks.map((count) => ({ title: `${count} ranks`, rows: rows.filter((row) => row.ranks === count) }));
  return allreduceChart({ panels, own, where: "one host" });
}

/** Time over size, both logarithmic, SVG. Pure. */
export function allreduceChart({ panels, own, where }: AllreduceChart): string {
  const rows = panels.flatMap((panel) => panel.rows);
  const x: Axis = {
    label: "bytes",
    scale: "log",
    format: bytes,
    ticks: powersOfFour(rows.map((row) => row.bytes)),
  };
  const y: Axis = {
    label: "time of one all-reduce",
    scale: "log",
    format: duration,
    ticks: decades(rows.map((row) => row.microseconds)),
  };
  const note = `float32 sums, ${where}; medians of alternating rounds; less is better; bold: Ringstrasse`;
  const drawn = panels.map((panel) => ({ title: panel.title, lines: linesOf(panel.rows, own) }));
  return lineChart({ title: "All-reduce", note, x, y, panels: drawn });
}

function linesOf(rows: readonly AllreduceRow[], own: readonly string[]): Line[] {
  return [...new Set(rows.map(({ system }) => system))].map((system) => ({
    name: system,
    isOwn: own.includes(system),
    points: rows.filter((row) => row.system === system).map((row) => [row.bytes, row.microseconds] as const),
  }));
}

function powersOfFour(values: readonly number[]): number[] {
  const from = Math.floor(Math.log2(Math.min(...values)) / 4);
  const to = Math.max(from + 1, Math.ceil(Math.log2(Math.max(...values)) / 4));
  return Array.from({ length: to - from + 1 }, (_, index) => 2 ** (4 * (from + index)));
}

function bytes(value: number): string {
  const units = ["", "K", "M", "G"];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(value) / 10)));
  return `${value / 2 ** (10 * unit)}${units[unit] ?? ""}`;
}

function duration(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds} µs`;
  return microseconds < 1e6 ? `${microseconds / 1e3} ms` : `${microseconds / 1e6} s`;
}
