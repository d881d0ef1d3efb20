import { unreachable } from "../../shared/unreachable.js";

export const PREDICTION_FORMATS = ["csv", "json"] as const;
export type PredictionFormat = (typeof PREDICTION_FORMATS)[number];

/** How one row's outputs become a line. Pure. */
export interface PredictionFormatter {
  /** The first line, with its end; empty when there is none. */
  readonly header: string;
  /** One line, with its end. @param row 1-based line of a CSV file or item of an IDX file, as in messages. @param outputs the network's activated outputs of this row. */
  line(row: number, outputs: Float32Array): string;
}

/** @param classNames by class number; null for real-valued outputs. @param outputs width of the network's last layer. */
export function predictionFormatter(
  format: PredictionFormat,
  classNames: readonly string[] | null,
  outputs: number,
): PredictionFormatter {
  switch (format) {
    case "csv":
      return classNames === null ? csvOfValues(outputs) : csvOfClasses(classNames);
    case "json":
      return classNames === null ? jsonOfValues() : jsonOfClasses(classNames);
    default:
      return unreachable(format);
  }
}

/**
 * The class that a row's outputs stand for: the largest, ties to the lowest number; a single output stands for class 1 above ½.
 * Null when an output is NaN. The same rule as in training metrics.
 */
export function predictedClass(outputs: Float32Array): number | null {
  let best = 0;
  for (const [index, value] of outputs.entries()) {
    if (Number.isNaN(value)) return null;
    if (value > (outputs[best] as number)) best = index;
  }
  if (outputs.length === 1) return (outputs[0] as number) > 0.5 ? 1 : 0;
  return best;
}

/** One figure per class: the outputs themselves, or both sides of a single output. */
export function classScores(outputs: Float32Array): number[] {
  const [only] = outputs;
  return outputs.length === 1 && only !== undefined ? [Math.fround(1 - only), only] : [...outputs];
}

/** The shortest decimal that reads back as the same float32. */
export function formatFloat32(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** RFC 4180: quoted where needed, quotes doubled. */
export function csvField(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) || text === "" ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvOfClasses(classNames: readonly string[]): PredictionFormatter {
  const fields = classNames.map(csvField);
  return {
    header: `${["row", "class", ...classNames.map((name) => csvField(`p_${name}`))].join(",")}\n`,
    line: (row, outputs) => {
      const predicted = predictedClass(outputs);
      const name = predicted === null ? "" : (fields[predicted] ?? "");
      return `${[row, name, ...classScores(outputs).map(formatFloat32)].join(",")}\n`;
    },
  };
}

function csvOfValues(outputs: number): PredictionFormatter {
  const names = Array.from({ length: outputs }, (_, index) => `output_${index}`);
  return {
    header: `${["row", ...names].join(",")}\n`,
    line: (row, values) => `${[row, ...Array.from(values, formatFloat32)].join(",")}\n`,
  };
}

function jsonOfClasses(classNames: readonly string[]): PredictionFormatter {
  return {
    header: "",
    line: (row, outputs) => {
      const predicted = predictedClass(outputs);
      const scores = classScores(outputs).map(
        (score, index) => [classNames[index] ?? index, jsonNumber(score)] as const,
      );
      const named = {
        row,
        class: predicted === null ? null : classNames[predicted],
        probabilities: Object.fromEntries(scores),
      };
      return `${JSON.stringify(named)}\n`;
    },
  };
}

function jsonOfValues(): PredictionFormatter {
  return {
    header: "",
    line: (row, values) => `${JSON.stringify({ row, outputs: Array.from(values, jsonNumber) })}\n`,
  };
}

/** JSON has no NaN and no infinities: those become null. */
function jsonNumber(value: number): number | null {
  return Number.isFinite(value) ? Number(formatFloat32(value)) : null;
}
