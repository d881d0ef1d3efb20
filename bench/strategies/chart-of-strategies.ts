import { type Axis, decades, lineChart } from "../support/line-chart.js";
import type { StrategyFigures } from "./strategy-figures.js";

/** Between two lines of the grid. */
const TICK = 0.01;

/** Test accuracy after each epoch over the bytes that it took, SVG: further left is cheaper, further up is better. Pure. */
export function strategyChart(all: readonly StrategyFigures[], what: string): string {
  const points = all.flatMap(({ epochs }) => epochs);
  const x: Axis = {
    label: "sent by all workers since the start",
    scale: "log",
    format: bytes,
    ticks: decades(points.map(({ sentBytes }) => sentBytes)),
  };
  const y: Axis = {
    label: "accuracy on the test rows after each epoch",
    scale: "linear",
    format: (share) => `${Math.round(100 * share)} %`,
    ticks: percents(points.map(({ testAccuracy }) => testAccuracy)),
  };
  const lines = all.map(({ name, isPlain, epochs }) => ({
    name,
    isOwn: !isPlain,
    points: epochs.map(({ sentBytes, testAccuracy }) => [sentBytes, testAccuracy] as const),
  }));
  const note = `${what}; further left is cheaper, further up is better`;
  return lineChart({ title: "What strategies send, and what comes of it", note, x, y, panels: [{ title: "", lines }] });
}

function percents(shares: readonly number[]): number[] {
  const from = Math.floor(Math.min(...shares) / TICK);
  const to = Math.max(from + 1, Math.ceil(Math.max(...shares) / TICK));
  return Array.from({ length: to - from + 1 }, (_, index) => (from + index) * TICK);
}

function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(value) / 3)));
  return `${value / 1000 ** unit} ${units[unit] ?? ""}`;
}
