import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatMark } from "../stores/format.js";
import { type AlignedColumns, alignColumns, type LineSource } from "./chart-data.js";

/** A drawn line, or with `band` the far edge of a band whose near edge is the line before it. */
export interface Line extends LineSource {
  readonly label: string;
  /** Name of a CSS custom property. */
  readonly colour: string;
  readonly width: number;
  readonly edge?: boolean;
}

export interface LineChartProps {
  readonly title: string;
  /** What a screen reader is told instead of the picture. */
  readonly description: string;
  readonly lines: readonly Line[];
  /** A value under the cursor. */
  readonly format: (value: number | null) => string;
  /** A mark of the y axis. */
  readonly mark?: (value: number) => string;
  /** Fixed ends of the y axis. */
  readonly range?: readonly [number, number];
  readonly logarithmic?: boolean;
}

const HEIGHT = 200;
const FEW_POINTS = 24;
/** Charts with the same key show the cursor at the same step. */
const CURSOR = "job";

/** A chart over optimizer updates; drawn on a canvas, redrawn when the colour scheme or its width changes. */
export function LineChart(props: LineChartProps) {
  const { title, description, lines, logarithmic = false } = props;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const zoomed = useRef(false);
  const scheme = useColourScheme();
  const data = alignColumns(lines, logarithmic) as uPlot.AlignedData & AlignedColumns;
  const shape = lines.map(({ label }) => label).join("|");

  // New data goes into the chart that is there (below); it is made anew only for another shape.
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(props, element), data, element);
    chart.current = made;
    zoomed.current = false;
    // A drag, and the double click that undoes it, are done in all charts at once, but heard by one: the scale itself says what is shown.
    made.hooks.setScale = [
      (changed, name) => {
        if (name === "x") zoomed.current = showsPart(changed);
      },
    ];
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [shape, scheme, logarithmic]);
  useEffect(() => {
    chart.current?.setData(data, !zoomed.current);
    // Who looks at a part goes on looking at it.
    if (zoomed.current) chart.current?.redraw();
  }, [data]);

  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title}: ${description}`} />
    </figure>
  );
}

function optionsOf(
  { lines, format, range, logarithmic, mark = formatMark }: LineChartProps,
  element: HTMLElement,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    cursor: { sync: { key: CURSOR }, drag: { x: true, y: false }, points: { size: 6 } },
    legend: { live: true },
    scales: { x: { time: false }, y: scaleOf(range, logarithmic === true) },
    axes: [
      { ...axis, size: 26, space: 60, values: (_, ticks) => ticks.map((tick) => formatMark(tick)) },
      { ...axis, size: 52, space: 28, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : mark(tick))) },
    ],
    series: [{ label: "At step" }, ...lines.map((line) => seriesOf(line, colour(line.colour), format))],
    bands: bandsOf(lines, colour),
  };
}

function scaleOf(range: LineChartProps["range"], logarithmic: boolean): uPlot.Scale {
  if (logarithmic) return { distr: 3 };
  return range === undefined ? {} : { range: [...range] };
}

function seriesOf(line: Line, stroke: string, format: LineChartProps["format"]): uPlot.Series {
  const common: uPlot.Series = { label: line.label, value: (_, value) => format(value), points: { show: false } };
  // An edge belongs to the band: it takes no part in the legend.
  if (line.edge === true) return { ...common, stroke: "transparent", width: 0, class: "edge" };
  return { ...common, stroke, width: line.width, points: pointsOf(stroke) };
}

/** A line of few points is not seen as a line: show the points themselves. */
function pointsOf(fill: string): uPlot.Series.Points {
  const isFew = (values: ArrayLike<unknown>) =>
    Array.from(values).filter((value) => value != null).length <= FEW_POINTS;
  return { show: (chart, index) => isFew(chart.data[index] ?? []), size: 5, fill };
}

function bandsOf(lines: readonly Line[], colour: (name: string) => string): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  for (const [index, line] of lines.entries()) {
    const next = lines[index + 1];
    // +1: the first series is x.
    if (line.edge === true && next?.edge === true)
      bands.push({ series: [index + 1, index + 2], fill: colour("--band") });
  }
  return bands;
}

/** Whether data lies before or behind what is shown. */
function showsPart({ data: [steps], scales }: uPlot): boolean {
  const { min, max } = scales["x"] ?? {};
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined || min == null || max == null) return false;
  return min > first || max < last;
}

/** Rises whenever the colour scheme changes. */
function useColourScheme(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const query = window.matchMedia("(prefers-color-scheme: dark)");
    const changed = () => setChanges((count) => count + 1);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return changes;
}
