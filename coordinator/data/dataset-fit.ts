import { quoted } from "../../shared/data/csv-number.js";
import { isImageShape } from "../../shared/data/image-shape.js";
import { separatorRemedy } from "../../shared/data/other-separators.js";
import type { TableLayout } from "../../shared/data/table-layout.js";
import { RingstrasseError } from "../../shared/failure.js";

/** What a network needs of its data. */
export interface NetworkShape {
  /** Size of the input block. */
  readonly features: number;
  /** `[height, width, channels]` where the network takes rows for images; absent: the order of a row's numbers means nothing to it. */
  readonly image?: readonly [number, number, number] | undefined;
  readonly target:
    | { readonly kind: "class"; readonly classes: number }
    | { readonly kind: "values"; readonly outputs: number };
  /** 0-based first target column; null: the last column or columns. */
  readonly labelIndex: number | null;
  /** Where the document says so, for messages. */
  readonly elementPaths: {
    readonly input: string | null;
    readonly output: string | null;
    readonly labelIndex: string | null;
  };
}

/**
 * The roles of a table's columns. Pure.
 * @param first the fields of its first record
 * @throws RingstrasseError DATA_MISMATCH naming the element: label column out of range, another number of features
 */
export function tableLayout(first: readonly string[], network: NetworkShape, file: string): TableLayout {
  const columns = first.length;
  const { features, target, labelIndex, elementPaths } = network;
  const targets = target.kind === "class" ? 1 : target.outputs;
  const lastStart = columns - targets;
  if (lastStart < 1) {
    const problem = `the file has ${plural(columns, "column")}, which leaves no feature beside ${plural(targets, "target column")}`;
    const remedy = separatorRemedy(first) ?? `Give data with ${features} feature columns and ${targets} more`;
    throw mismatch(file, elementPaths.input, problem, remedy);
  }
  if (labelIndex !== null && labelIndex > lastStart) {
    const last = labelIndex + targets - 1;
    const what = targets === 1 ? `label column ${labelIndex} is` : `target columns ${labelIndex} to ${last} are`;
    const problem = `${what} out of range: the file has columns 0 to ${columns - 1}`;
    const remedy = `Set labelIndex to a column from 0 to ${lastStart} (columns count from 0)`;
    throw mismatch(file, elementPaths.labelIndex, problem, remedy);
  }
  const labelColumn = labelIndex ?? lastStart;
  if (lastStart === features) return { columns, features, labelColumn, targets };
  const named =
    targets === 1
      ? `column ${labelColumn} is the label`
      : `columns ${labelColumn} to ${labelColumn + targets - 1} are targets`;
  const problem = `the data has ${plural(lastStart, "feature column")} (${columns} columns, of which ${named}), the network's input takes ${features}`;
  const remedy = separatorRemedy(first) ?? featureRemedy(lastStart, features, targets);
  throw mismatch(file, elementPaths.input, problem, remedy);
}

/** Pure. @throws RingstrasseError DATA_MISMATCH naming the input element and both numbers */
export function assertImagesFit(shape: readonly number[], network: NetworkShape, file: string): void {
  const { features, target, elementPaths } = network;
  const size = shape.reduce((product, side) => product * side, 1);
  if (size !== features) {
    const problem = `the images have ${size} pixels (${shape.join(" × ")}), the network's input takes ${features}`;
    throw mismatch(file, elementPaths.input, problem, `Make the input block ${size} units large`);
  }
  if (network.image !== undefined && !isImageShape(shape, network.image)) {
    const problem = `the images are ${shape.join(" × ")}, the network takes their pixels for ${network.image.join(" × ")}`;
    const [height, width, channels = 1] = shape;
    const remedy = `Give the input block the dimension ${height}x${width ?? 1}x${channels}`;
    throw mismatch(file, elementPaths.input, problem, remedy);
  }
  if (target.kind === "values") {
    const problem = "labels of an IDX file are classes, the network is to learn real values";
    throw mismatch(file, elementPaths.output, problem, "Use problemType Classifiers, or give the data as CSV");
  }
}

/**
 * Pure.
 * @param firstAlone the class that the first row alone has, which may be a header's text; absent or null: there is none
 * @throws RingstrasseError DATA_MISMATCH naming the output element, the count found and some labels
 */
export function assertClassCount(
  names: readonly string[],
  network: NetworkShape,
  file: string,
  firstAlone: string | null = null,
): void {
  const { target, elementPaths } = network;
  if (target.kind !== "class" || names.length === target.classes) return;
  const few = names.slice(0, 5).map(quoted).join(", ") + (names.length > 5 ? ", …" : "");
  const problem = `the data has ${names.length === 1 ? "1 class" : `${names.length} classes`} (${few}), the network's output stands for ${target.classes}`;
  const column = "or check that labelIndex names the label column";
  const remedy =
    names.length < 2
      ? `Give data with at least 2 classes, ${column}`
      : `Make the output block ${names.length} units large, ${column}`;
  if (firstAlone !== null && names.length === target.classes + 1) {
    const header = `If the first line is a header with numbers for names, remove it: no other row has its label ${quoted(firstAlone)}`;
    throw mismatch(file, elementPaths.output, problem, `${header}. Else: ${remedy}`);
  }
  throw mismatch(file, elementPaths.output, problem, remedy);
}

/** Pure. For labels that are so many that they are none. */
export function tooManyClasses(count: number, network: NetworkShape, file: string): RingstrasseError {
  const problem = `the label column holds more than ${count - 1} different values, which can't be classes`;
  const remedy = "Check that labelIndex names the label column; for real values use problemType Approximators";
  return mismatch(file, network.elementPaths.output, problem, remedy);
}

function featureRemedy(found: number, features: number, targets: number): string {
  const sizes = `Make the input block ${found} units large, or give data with ${features} feature columns`;
  if (found + targets === features) return `${sizes}; perhaps the file lacks its label column`;
  return Math.abs(found - features) === 1 ? `${sizes}; check that labelIndex names the label column` : sizes;
}

function mismatch(file: string, elementPath: string | null, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "DATA_MISMATCH", file, elementPath, problem, remedy });
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
