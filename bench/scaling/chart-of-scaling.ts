import { barChart } from "../support/bar-chart.js";
import type { SystemFigures } from "./scaling-figures.js";

/** A measured case, as far as the picture shows it. */
export interface ChartedCase {
  readonly network: string;
  readonly batchPerRank: number;
  readonly ranks: number;
  readonly figures: readonly SystemFigures[];
}

const NETWORK_TITLES: Readonly<Record<string, string>> = { mlp: "784-528-10", cnn: "two convolutions" };

/** The picture of a run: a group of bars for each case, rows per second, SVG. Pure. */
export function scalingChart(cases: readonly ChartedCase[]): string {
  const groups = cases.map(({ network, batchPerRank, figures }) => ({
    title: `${NETWORK_TITLES[network] ?? network}, batch ${batchPerRank} per rank`,
    bars: figures.map(({ name, isOwn, rowsPerSecond, efficiency }) => {
      const ofCeiling = efficiency === null ? "" : ` · ${Math.round(100 * efficiency[1])} %`;
      const text = `${Math.round(rowsPerSecond).toLocaleString("en")}/s${ofCeiling}`;
      return { label: isOwn ? `Ringstrasse ${name}` : name, value: rowsPerSecond, text, isOwn };
    }),
  }));
  const ranks = cases[0]?.ranks ?? 0;
  const note = `${ranks} ranks, a core each; rows per second, medians of alternating rounds; per cent of independent trainings; more is better`;
  return barChart({ title: "Training on several ranks", note, groups });
}
