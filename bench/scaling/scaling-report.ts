import { alignedTable } from "../support/aligned-table.js";
import type { Quartiles } from "../support/quartiles.js";
import type { Comparison, SystemFigures } from "./scaling-figures.js";

/** For people: one line a system. Pure. */
export function systemTable(figures: readonly SystemFigures[]): string {
  const lines = figures.map((one) => [
    one.name,
    one.rowsPerSecond.toFixed(0),
    spread(one.stepMs),
    milliseconds(one.waitedMs),
    milliseconds(one.addedMs),
    one.efficiency === null ? "" : spread(one.efficiency),
  ]);
  return alignedTable([["system", "rows/s", "ms a step (quartiles)", "waited", "added", "efficiency"], ...lines]);
}

/** For people: one line a pair. Pure. */
export function comparisonTable(pairs: readonly Comparison[]): string {
  const lines = pairs.map((one) => [
    `${one.system} ÷ ${one.peer}`,
    spread(one.throughput),
    one.exposed?.toFixed(2) ?? "none",
    one.exposedByDifference?.toFixed(2) ?? "none",
  ]);
  return alignedTable([["", "throughput (quartiles)", "exposed exchange", "by difference"], ...lines]);
}

function spread([lower, middle, upper]: Quartiles): string {
  return `${middle.toFixed(2)} (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
}

function milliseconds(value: number | null): string {
  return value?.toFixed(2) ?? "";
}
