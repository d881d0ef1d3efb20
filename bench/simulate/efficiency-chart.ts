import { type Axis, lineChart } from "../support/line-chart.js";
import type { ModelName } from "./collective-models.js";
import type { Network } from "./link-costs.js";
import type { StepPoint } from "./training-step.js";

/** Curves of all models over one network. */
export interface SimulatedNetwork extends Network {
  readonly curves: readonly { readonly model: ModelName; readonly points: readonly StepPoint[] }[];
}

const OWN: readonly ModelName[] = ["ring", "hierarchical", "shm", "parameter-server"];

/** The picture: a panel for each network, efficiency over the number of workers, SVG. Pure. */
export function efficiencyChart(networks: readonly SimulatedNetwork[]): string {
  const counts = networks.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map(({ workers }) => workers)));
  const x: Axis = { label: "workers", scale: "log", format: String, ticks: powersOfTwo(counts) };
  const y: Axis = {
    label: "efficiency",
    scale: "linear",
    format: (share) => `${Math.round(100 * share)} %`,
    ticks: [0, 0.25, 0.5, 0.75, 1],
  };
  const panels = networks.map(({ gigabitsPerS, latencyUs, lossRate, curves }) => ({
    title: `${gigabitsPerS} Gbit/s, ${latencyUs} µs${lossRate > 0 ? `, loss ${100 * lossRate} %` : ""}`,
    lines: curves
      .filter(({ points }) => points.length > 1)
      .map(({ model, points }) => ({
        name: model,
        isOwn: OWN.includes(model),
        points: points.map(({ workers, efficiency }) => [workers, efficiency] as const),
      })),
  }));
  const note = "simulated, not measured: α–β–γ models, weak scaling, exchange after computation";
  return lineChart({ title: "Efficiency of synchronous training", note, x, y, panels });
}

function powersOfTwo(counts: readonly number[]): number[] {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const ticks: number[] = [];
  for (let workers = least; workers <= most; workers *= 2) ticks.push(workers);
  return ticks;
}
