import { RingstrasseError } from "../failure.js";
import { className } from "./class-label.js";
import { float32Field, quoted } from "./csv-number.js";
import { type CsvRecord, readCsv } from "./csv-source.js";
import { dataInvalid } from "./data-failure.js";
import type { FeatureTransform } from "./dataset-spec.js";
import { detectFormat } from "./detect-format.js";
import { featureNamesOf, refuseOtherFeatures } from "./feature-names.js";
import { type ApplyTransform, featureTransform } from "./feature-transform.js";
import { isImageShape } from "./image-shape.js";
import { findLabels, openLabelledImages } from "./labelled-images.js";
import { separatorRemedy } from "./other-separators.js";
import { refuseNamesInFirstRow } from "./table-header.js";
import { readFeatures, type TableLayout } from "./table-layout.js";

/** What a model says of its data, and where the rows are. */
export interface PredictionRequest {
  readonly path: string;
  /** Labels of IDX images; null: found by MNIST's naming, if they are there. */
  readonly labelsPath: string | null;
  readonly features: number;
  /** `[height, width, channels]` where the model takes rows for images; absent: the order of a row's numbers means nothing to it. */
  readonly image?: readonly [number, number, number] | undefined;
  /** What training's header called the features; absent: its table had none, or it was no table. */
  readonly featureNames?: readonly string[] | undefined;
  readonly transform: FeatureTransform;
  readonly targets:
    | { readonly kind: "class"; readonly classNames: readonly string[] }
    | { readonly kind: "values"; readonly outputs: number };
  /** 0-based first target column in training; null: it was no table, then the last columns. */
  readonly labelColumn: number | null;
  /** Rows per batch; the last batch may have fewer. */
  readonly batchRows: number;
  readonly signal?: AbortSignal;
}

/** Owned by the receiver; its arrays are not used again. */
export interface PredictionBatch {
  /** At least 1. */
  readonly count: number;
  /** For each row its 1-based line of a CSV file or 1-based item of an IDX file. */
  readonly rowNumbers: Uint32Array;
  /** `[count, features]`, transformed. */
  readonly x: Float32Array;
  /** What the rows really are, when the data says so. */
  readonly targets:
    | { readonly kind: "class" /** `[count]` */; readonly classes: Uint32Array }
    | { readonly kind: "values" /** `[count, outputs]` */; readonly values: Float32Array }
    | null;
}

/**
 * Rows to predict, with the bits that training would have seen. A table may have the features alone, or the targets too, in the
 * columns where they were in training. One batch is held at a time.
 * @throws RingstrasseError INPUT_MISSING, DATA_INVALID, DATA_MISMATCH, CHOICE_UNSUPPORTED, USAGE; the signal's reason when aborted
 */
export async function* loadRowsForPrediction(
  request: PredictionRequest,
): AsyncGenerator<PredictionBatch, void, undefined> {
  const format = await detectFormat(request.path, "--data");
  yield* format === "csv" ? tableBatches(request) : imageBatches(request);
}

async function* tableBatches(request: PredictionRequest): AsyncGenerator<PredictionBatch> {
  const { path, labelsPath, batchRows, signal } = request;
  if (labelsPath !== null) {
    const problem = `${labelsPath} can't hold the labels of ${path}, which is a table: a table's labels are one of its columns`;
    throw new RingstrasseError({ code: "USAGE", option: "--labels", problem, remedy: "Leave --labels out" });
  }
  let layout: TableLayout | null = null;
  let waiting: CsvRecord[] = [];
  const header: { names: readonly string[] | null } = { names: null };
  for await (const records of readCsv(path, signal, (names) => (header.names = names))) {
    if (layout === null) {
      layout = layoutOf(request, records[0]?.fields ?? []);
      const names = header.names === null ? null : featureNamesOf(header.names, layout);
      refuseOtherFeatures(names, request.featureNames ?? null, path);
      refuseNamesInFirstRow(records, request.targets.kind === "class" ? layout.labelColumn : null, path);
    }
    waiting = waiting.concat(records);
    let from = 0;
    for (; waiting.length - from >= batchRows; from += batchRows) {
      yield tableBatch(request, layout, waiting.slice(from, from + batchRows));
    }
    waiting = waiting.slice(from);
  }
  if (layout !== null && waiting.length > 0) yield tableBatch(request, layout, waiting);
}

function layoutOf(request: PredictionRequest, first: readonly string[]): TableLayout {
  const columns = first.length;
  const { path, features, targets, labelColumn } = request;
  const targetColumns = targets.kind === "class" ? 1 : targets.outputs;
  if (columns === features) return { columns, features, labelColumn: null, targets: 0 };
  if (columns === features + targetColumns) {
    return { columns, features, labelColumn: labelColumn ?? features, targets: targetColumns };
  }
  const problem = `the file has ${columns} columns, the model takes ${features} features`;
  const remedy =
    separatorRemedy(first) ??
    `Give ${features} columns, or ${features + targetColumns} with the ${targetColumns === 1 ? "label" : "targets"}`;
  throw new RingstrasseError({ code: "DATA_MISMATCH", file: path, elementPath: null, problem, remedy });
}

function tableBatch(request: PredictionRequest, layout: TableLayout, records: CsvRecord[]): PredictionBatch {
  const { path, features, transform } = request;
  const count = records.length;
  const x = new Float32Array(count * features);
  for (const [index, record] of records.entries()) {
    readFeatures(record, layout, path, { values: x, offset: index * features });
  }
  featureTransform(transform, features)(x, count, x, 0);
  const rowNumbers = Uint32Array.from(records, (record) => record.line);
  return { count, rowNumbers, x, targets: tableTargets(request, layout, records) };
}

function tableTargets(
  request: PredictionRequest,
  layout: TableLayout,
  records: readonly CsvRecord[],
): PredictionBatch["targets"] {
  const { path, targets } = request;
  const { labelColumn } = layout;
  if (labelColumn === null) return null;
  if (targets.kind === "class") {
    const numbers = classNumbers(targets.classNames);
    const classOf = ({ line, fields }: CsvRecord) =>
      classNumber(numbers, fields[labelColumn] ?? "", { file: path, row: line, column: labelColumn });
    return { kind: "class", classes: Uint32Array.from(records, classOf) };
  }
  const { outputs } = targets;
  const values = new Float32Array(records.length * outputs);
  for (const [index, record] of records.entries()) {
    for (let output = 0; output < outputs; output++) {
      values[index * outputs + output] = float32Field(record, labelColumn + output, path);
    }
  }
  return { kind: "values", values };
}

async function* imageBatches(request: PredictionRequest): AsyncGenerator<PredictionBatch> {
  const { path, features, image, transform, batchRows, signal } = request;
  const labelsPath = request.labelsPath ?? (await findLabels(path));
  const opened = await openLabelledImages(path, labelsPath, signal);
  await using images = opened.images;
  await using labels = opened.labels;
  if (images.itemSize !== features) {
    const problem = `the images have ${images.itemSize} pixels, the model takes ${features} features`;
    const remedy = "Give images of the size that the model was trained on";
    throw new RingstrasseError({ code: "DATA_MISMATCH", file: path, elementPath: null, problem, remedy });
  }
  if (image !== undefined && !isImageShape(images.shape, image)) {
    const problem = `the images are ${images.shape.join(" × ")}, the model takes their pixels for ${image.join(" × ")}`;
    const remedy = "Give images of the height, width and channels that the model was trained on, in this order";
    throw new RingstrasseError({ code: "DATA_MISMATCH", file: path, elementPath: null, problem, remedy });
  }
  const apply: ApplyTransform = featureTransform(transform, features);
  const labelPieces = labels?.items(batchRows);
  for await (const { first, count, bytes } of images.items(batchRows * features)) {
    const x = new Float32Array(count * features);
    apply(bytes, count, x, 0);
    const rowNumbers = Uint32Array.from({ length: count }, (_, index) => first + index + 1);
    const piece = await labelPieces?.next();
    const targets = piece?.done === false ? imageTargets(request, piece.value.bytes, labelsPath ?? path, first) : null;
    yield { count, rowNumbers, x, targets };
  }
  // Reads on to the end, where bytes too many are found.
  await labelPieces?.next();
}

function imageTargets(
  request: PredictionRequest,
  labels: Uint8Array,
  file: string,
  first: number,
): PredictionBatch["targets"] {
  const { targets } = request;
  if (targets.kind === "values") {
    const problem = "labels of an IDX file are classes, the model predicts real values";
    const remedy = "Move the labels file away, or give the data as CSV";
    throw new RingstrasseError({ code: "DATA_MISMATCH", file, elementPath: null, problem, remedy });
  }
  const numbers = classNumbers(targets.classNames);
  const classes = Uint32Array.from(labels, (label, index) =>
    classNumber(numbers, String(label), { file, row: first + index + 1 }),
  );
  return { kind: "class", classes };
}

function classNumbers(names: readonly string[]): ReadonlyMap<string, number> {
  // Models of earlier versions may have a name as it was written, such as 1e0.
  return new Map(names.map((name, index) => [className(name), index]));
}

function classNumber(
  numbers: ReadonlyMap<string, number>,
  label: string,
  place: { file: string; row: number; column?: number },
): number {
  const number = numbers.get(className(label));
  if (number !== undefined) return number;
  if (label === "") throw dataInvalid(place, "the label is empty", "Fill it in, or leave the label column out");
  const problem = `the label ${quoted(label)} is none of the model's classes`;
  throw dataInvalid(place, problem, "Leave the row out, or leave the labels out to predict without comparing");
}
