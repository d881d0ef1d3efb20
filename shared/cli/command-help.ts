import type { OptionDefinition, OptionTable } from "./option-table.js";

const WIDTH = 110;
const GAP = 2;

/** What `--help` tells of a command. */
export interface HelpText {
  readonly usage: string;
  readonly describe: string;
  readonly options: OptionTable;
  /** A call and what it does. */
  readonly examples: readonly (readonly [string, string])[];
}

/** The text of `--help`: usage, options by group with their placeholders, examples. Pure. */
export function describeCommand({ usage, describe, options, examples }: HelpText): string {
  const groups = new Map<string, [string, string][]>();
  for (const [name, option] of Object.entries(options)) {
    const lines = groups.get(option.group) ?? [];
    lines.push([optionCall(name, option), option.describe]);
    groups.set(option.group, lines);
  }
  const width = Math.max(...[...groups.values()].flat().map(([call]) => call.length)) + 2 * GAP;
  const sections = [...groups].map(([group, lines]) => section(group, lines, width));
  const shown = examples.map(([call, what]) => (what === "" ? `  ${call}` : `  ${call}\n      ${what}`));
  return [usage, wrap(describe, 0), ...sections, ["Examples:", ...shown].join("\n")].join("\n\n");
}

/** `--workers N`, or `--json` alone. */
function optionCall(name: string, option: OptionDefinition): string {
  return option.isSwitch === true ? `--${name}` : `--${name} ${option.placeholder ?? "VALUE"}`;
}

function section(title: string, lines: readonly [string, string][], width: number): string {
  const rows = lines.map(([call, what]) => `  ${call}`.padEnd(width) + wrap(what, width));
  return [title, ...rows].join("\n");
}

/** Breaks a text between words; lines after the first are indented. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH - indent) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
