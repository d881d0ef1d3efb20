import { INK, OTHER, OWN } from "./chart-colours.js";

/** One line of a panel. */
export interface Line {
  readonly name: string;
  /** Ours stands out. */
  readonly isOwn: boolean;
  /** x and y, ascending x; on a logarithmic axis above 0. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Axis {
  readonly label: string;
  readonly scale: "linear" | "log";
  /** What stands at a value. */
  readonly format: (value: number) => string;
  /** Where lines cross the panel; ascending, the first and last are its ends. */
  readonly ticks: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface LineChart {
  readonly title: string;
  readonly note: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly panels: readonly Panel[];
}

const WIDTH = 760;
const LEFT = 70;
const RIGHT = 130;
const TOP = 54;
const PANEL_HEIGHT = 300;
const PANEL_GAP = 76;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
/** Between two names, one above the other. */
const NAME_HEIGHT = 13;
/** Of a name, about. */
const LETTER_WIDTH = 6.8;
/** Ink, thinned. */
const GRID = `${INK}40`;
const OWNS = [OWN, "#1a7f64", "#a371f7", "#d4538f"];
const OTHERS = ["#c9772e", OTHER, "#b3a125", "#6e7681"];
const DASHES = ["", "6 3", "2 3", "8 3 2 3"];

interface Styled {
  readonly line: Line;
  readonly colour: string;
  readonly dash: string;
}

/** Lines in panels, one below the other, as an SVG document without scripts, fonts or a background. Names stand where lines end. Pure. */
export function lineChart(chart: LineChart): string {
  const height = TOP + chart.panels.length * (PANEL_HEIGHT + PANEL_GAP);
  const parts = chart.panels.flatMap((panel, index) =>
    drawnPanel(chart, panel, TOP + 20 + index * (PANEL_HEIGHT + PANEL_GAP)),
  );
  const heading = [
    text(0, 16, chart.title, 'font-weight="700" font-size="15"'),
    text(0, 36, chart.note, 'font-size="11"'),
  ];
  const open =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
    `role="img" aria-label="${escaped(chart.title)}" font-family="system-ui,sans-serif" font-size="12" fill="${INK}">`;
  return `${[open, ...heading, ...parts, "</svg>"].join("\n")}\n`;
}

function drawnPanel({ x, y }: LineChart, { title, lines }: Panel, top: number): string[] {
  const atX = scale(x, LEFT, LEFT + PLOT_WIDTH);
  const atY = scale(y, top + PANEL_HEIGHT, top);
  const bottom = top + PANEL_HEIGHT;
  const grid = [
    ...x.ticks.map((tick) => rule([atX(tick), top, atX(tick), bottom])),
    ...y.ticks.map((tick) => rule([LEFT, atY(tick), LEFT + PLOT_WIDTH, atY(tick)])),
  ];
  const labels = [
    ...x.ticks.map((tick) => text(atX(tick), bottom + 16, x.format(tick), 'text-anchor="middle" font-size="11"')),
    ...y.ticks.map((tick) => text(LEFT - 6, atY(tick) + 4, y.format(tick), 'text-anchor="end" font-size="11"')),
    text(LEFT + PLOT_WIDTH / 2, bottom + 34, x.label, 'text-anchor="middle"'),
    text(LEFT, top - 8, `${title}${title === "" ? "" : " · "}${y.label}`, 'font-weight="600"'),
  ];
  const styled = styles(lines);
  const curves = styled.map(({ line, colour, dash }) => {
    const points = line.points.map(([px, py]) => `${round(atX(px))},${round(atY(py))}`).join(" ");
    const width = line.isOwn ? 2.2 : 1.5;
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash}"/>`;
  });
  return [...grid, ...labels, ...curves, ...names(styled, { atX, atY })];
}

interface Scales {
  readonly atX: (value: number) => number;
  readonly atY: (value: number) => number;
}

/** Names at the ends of their lines, the upper ones first; one that would cover another stands below it. */
function names(styled: readonly Styled[], { atX, atY }: Scales): string[] {
  const ends = styled
    .map(({ line, colour }) => {
      const [x = 1, y = 1] = line.points.at(-1) ?? [];
      return { line, colour, left: atX(x) + 6, y: atY(y) };
    })
    .sort((a, b) => a.y - b.y);
  const taken: Place[] = [];
  return ends.map(({ line, colour, left, y }) => {
    const right = left + line.name.length * LETTER_WIDTH;
    const place = { left, right, y: freeHeight({ left, right, y }, taken) };
    taken.push(place);
    return text(left, place.y + 4, line.name, `fill="${colour}"${line.isOwn ? ' font-weight="600"' : ""}`);
  });
}

/** Of a name. */
interface Place {
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

/** The first height from a place's own on downwards at which it covers none of those that are taken. */
function freeHeight({ left, right, y }: Place, taken: readonly Place[]): number {
  const beside = taken.filter((other) => left < other.right && other.left < right).sort((a, b) => a.y - b.y);
  return beside.reduce((free, other) => (Math.abs(free - other.y) < NAME_HEIGHT ? other.y + NAME_HEIGHT : free), y);
}

function styles(lines: readonly Line[]): Styled[] {
  let own = 0;
  let others = 0;
  return lines.map((line) => {
    const index = line.isOwn ? own++ : others++;
    const colours = line.isOwn ? OWNS : OTHERS;
    const dash = DASHES[Math.floor(index / colours.length) % DASHES.length] ?? "";
    return { line, colour: colours[index % colours.length] ?? INK, dash };
  });
}

function scale({ scale: kind, ticks }: Axis, from: number, to: number): (value: number) => number {
  const place = kind === "log" ? Math.log10 : (value: number) => value;
  const [low, high] = [place(ticks[0] ?? 1), place(ticks.at(-1) ?? 10)];
  return (value) => from + ((place(value) - low) / (high - low)) * (to - from);
}

function rule([x1, y1, x2, y2]: readonly [number, number, number, number]): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${GRID}"/>`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes === "" ? "" : ` ${attributes}`}>${escaped(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Powers of ten from below the least to above the greatest of the values; all above 0. */
export function decades(values: readonly number[]): number[] {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}
