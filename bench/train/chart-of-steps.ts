import { type BarGroup, barChart } from "../support/bar-chart.js";
import type { CaseResult } from "./run-case.js";

/** A measured case, as far as the picture shows it. */
export interface ChartedCase extends Pick<CaseResult, "figures"> {
  readonly network: string;
  readonly optimizer: string;
  readonly threads: number;
}

export interface StepChartInputs {
  readonly cases: readonly ChartedCase[];
  /** Names of our engines. */
  readonly own: readonly string[];
  readonly batchSize: number;
}

const NETWORK_TITLES: Readonly<Record<string, string>> = { mlp: "784-528-10", cnn: "two convolutions" };

/** The picture of a run: a group of bars for each case, milliseconds per step, SVG. Pure. */
export function stepChart({ cases, own, batchSize }: StepChartInputs): string {
  const groups = cases.map(({ network, optimizer, threads, figures }): BarGroup => {
    const where = threads === 1 ? "one core" : `${threads} cores`;
    return {
      title: `${NETWORK_TITLES[network] ?? network}, ${optimizer}, ${where}`,
      bars: figures.map(({ name, stepMs }) => {
        const isOwn = own.includes(name);
        return { label: isOwn ? `Ringstrasse ${name}` : name, value: stepMs, text: `${figure(stepMs)} ms`, isOwn };
      }),
    };
  });
  const note = `batch ${batchSize}; rows, forward, backward, optimizer and loss included; medians of alternating rounds; less is better`;
  return barChart({ title: "One training step", note, groups });
}

function figure(ms: number): string {
  return ms < 10 ? ms.toFixed(2) : ms.toFixed(1);
}
