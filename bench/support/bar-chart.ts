import { INK, OTHER, OWN } from "./chart-colours.js";

/** Bars of one case, e.g. a network with an optimizer. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Written behind the bar. */
  readonly text: string;
  /** Ours stands out. */
  readonly isOwn: boolean;
}

export interface BarChart {
  readonly title: string;
  readonly note: string;
  readonly groups: readonly BarGroup[];
}

const LEAST_LABEL_WIDTH = 210;
const TEXT_WIDTH = 150;
const BAR_WIDTH = 400;
/** Of a letter, on average; fonts differ. */
const LETTER_WIDTH = 6.8;
const LABEL_GAP = 8;
const LINE = 20;
const TITLE = 26;
const TOP = 54;
const GAP = 14;

/**
 * Horizontal bars, group below group, as an SVG document without scripts, fonts or a background. Each group has a scale of its own,
 * its longest bar being full: what is compared stands in one group. Pure.
 */
export function barChart({ title, note, groups }: BarChart): string {
  const parts: string[] = [];
  const letters = groups.flatMap(({ bars }) => bars.map(({ label }) => label.length));
  const left = Math.max(LEAST_LABEL_WIDTH, Math.ceil(Math.max(0, ...letters) * LETTER_WIDTH) + LABEL_GAP);
  const total = left + BAR_WIDTH + TEXT_WIDTH;
  let y = TOP;
  for (const group of groups) {
    parts.push(text(0, y + 14, group.title, 'font-weight="600"'));
    y += TITLE;
    const longest = Math.max(...group.bars.map(({ value }) => value));
    for (const bar of group.bars) {
      parts.push(...drawn(bar, { left, y, longest }));
      y += LINE;
    }
    y += GAP;
  }
  const heading = [text(0, 16, title, 'font-weight="700" font-size="15"'), text(0, 36, note, 'font-size="11"')];
  const open =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${total}" height="${y}" viewBox="0 0 ${total} ${y}" ` +
    `role="img" aria-label="${escaped(title)}" font-family="system-ui,sans-serif" font-size="12" fill="${INK}">`;
  return `${[open, ...heading, ...parts, "</svg>"].join("\n")}\n`;
}

interface BarPlace {
  /** Where bars begin. */
  readonly left: number;
  readonly y: number;
  /** The value whose bar is full. */
  readonly longest: number;
}

function drawn({ label, value, text: figure, isOwn }: Bar, { left, y, longest }: BarPlace): string[] {
  const share = longest > 0 && value > 0 ? value / longest : 0;
  const width = Math.max(1, Math.round(share * BAR_WIDTH * 10) / 10);
  return [
    text(left - LABEL_GAP, y + 13, label, 'text-anchor="end"'),
    `<rect x="${left}" y="${y + 2}" width="${width}" height="${LINE - 5}" rx="2" fill="${isOwn ? OWN : OTHER}"/>`,
    text(left + width + 6, y + 13, figure, ""),
  ];
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}"${attributes === "" ? "" : ` ${attributes}`}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
