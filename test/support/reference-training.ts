import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ArenaLayout, arenaLayout } from "../../shared/arena-layout.js";
import { type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { createRowOrder } from "../../shared/data/row-order.js";
import { stepSpan, stepsPerEpoch } from "../../shared/epoch-plan.js";
import { type ModelSpec, type OptimizerSpec, outputsOf, parametersOf } from "../../shared/model-spec.js";
import type { MicroBatch } from "../../worker/engine/engine.js";
import { writeInitialParameters } from "../../worker/engine/initial-parameters.js";
import { readRowFile } from "./read-row-file.js";
import { referenceGradients, referenceOptimizer, tensorsOf } from "./reference-mlp.js";

/** A job for the plain single-process training that runs are held against. */
export interface ReferenceJob {
  readonly model: ModelSpec;
  readonly optimizer: OptimizerSpec;
  readonly seed: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Prepared, not yet standardised training rows. */
  readonly rows: RowFileSpec;
}

export interface ReferenceOutcome {
  readonly layout: ArenaLayout;
  /** By step, 0 = before the first one: the tensors in layer order. */
  readonly tensors: readonly (readonly Float64Array[])[];
  /** By step from the first on: mean loss over the step's rows. */
  readonly losses: readonly number[];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/**
 * Trains one network on one replica in float64. From the product comes only what decides *which* numbers are computed with:
 * initial parameters and the order of rows; standardisation, gradients and updates are worked out here.
 */
export function trainReference({ model, optimizer, seed, batchSize, epochs, rows }: ReferenceJob): ReferenceOutcome {
  const layout = arenaLayout(parametersOf(model));
  const arena = new Float32Array(layout.paddedLength);
  writeInitialParameters(layout, seed, arena);
  const current = tensorsOf(layout, arena);
  const update = referenceOptimizer(optimizer);
  const { standardised, mean, deviation } = preparedRows(rows);
  const tensors = [copyOf(current)];
  const losses: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = createRowOrder({ seed, epoch, rowCount: standardised.length, rowSizeBytes: rowSizeBytes(rows) });
    for (let step = 0; step < stepsPerEpoch(standardised.length, batchSize); step++) {
      const { from, to } = stepSpan(standardised.length, batchSize, step);
      const chosen = Array.from({ length: to - from }, (_, index) => {
        const row = standardised[order.rowAt(from + index)];
        if (row === undefined) throw new RangeError(`position ${from + index} has no row`);
        return row;
      });
      const { gradients, lossSum } = referenceGradients(model, current, batchOf(model, chosen));
      const means = gradients.map((gradient) => gradient.map((sum) => sum / chosen.length));
      update(current, means);
      losses.push(lossSum / chosen.length);
      tensors.push(copyOf(current));
    }
  }
  return { layout, tensors, losses, mean, deviation };
}

/** All rows of a file, standardised by themselves. */
export function preparedRows(rows: RowFileSpec): { standardised: PreparedRow[]; mean: number[]; deviation: number[] } {
  const all = readRowFile(rows);
  const { mean, deviation } = columnStatistics(all.map(({ features }) => features));
  const standardised = all.map(({ features, targets }) => ({
    features: features.map((value, column) => (value - (mean[column] ?? 0)) / (deviation[column] ?? 1)),
    targets,
  }));
  return { standardised, mean, deviation };
}

/** The only file of that name below `folder`. @throws when there is none, or more than one. */
export function fileBelow(folder: string, name: string): string {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.name === name);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} files ${name} below ${folder}`);
  return join(only.parentPath, only.name);
}

/** The tensors in a model directory's weights, in layer order: float32, little-endian, without padding. */
export function weightsIn(modelDir: string, layout: ArenaLayout): Float64Array[] {
  const bytes = readFileSync(join(modelDir, "weights.bin"));
  if (bytes.length !== 4 * layout.parameterCount) throw new Error(`${modelDir} has ${bytes.length} bytes of weights`);
  let at = 0;
  return layout.slots.map(({ length }) => Float64Array.from({ length }, () => bytes.readFloatLE(4 * at++)));
}

/** Means and population deviations of columns, in two passes; a constant column's deviation is 1. */
export function columnStatistics(rows: readonly (readonly number[])[]): { mean: number[]; deviation: number[] } {
  const columns = rows[0]?.length ?? 0;
  const meanOver = (of: (row: readonly number[]) => number): number =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const mean = Array.from({ length: columns }, (_, column) => meanOver((row) => row[column] ?? Number.NaN));
  const deviation = mean.map(
    (centre, column) => Math.sqrt(meanOver((row) => ((row[column] ?? Number.NaN) - centre) ** 2)) || 1,
  );
  return { mean, deviation };
}

/** One row as it is trained on. */
export interface PreparedRow {
  readonly features: readonly number[];
  readonly targets: readonly number[];
}

/** Rows as an engine takes them. */
export function batchOf(model: ModelSpec, rows: readonly PreparedRow[]): MicroBatch {
  const x = Float32Array.from(rows.flatMap(({ features }) => features));
  const targets = rows.flatMap((row) => row.targets);
  if (model.targets.kind === "class") {
    return { count: rows.length, x, targets: { kind: "class", classes: Uint32Array.from(targets) } };
  }
  if (targets.length !== rows.length * outputsOf(model)) throw new RangeError(`${targets.length} targets`);
  return { count: rows.length, x, targets: { kind: "values", values: Float32Array.from(targets) } };
}

/** A copy that later updates leave alone. */
export function copyOf(tensors: readonly Float64Array[]): Float64Array[] {
  return tensors.map((tensor) => tensor.slice());
}
