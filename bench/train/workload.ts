import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareDataset } from "../../coordinator/data/prepare-dataset.js";
import { layoutOf } from "../../shared/arena-layout.js";
import { type DatasetSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { createRowOrder } from "../../shared/data/row-order.js";
import type { ModelSpec, OptimizerSpec } from "../../shared/model-spec.js";
import { writeInitialParameters } from "../../worker/engine/initial-parameters.js";
import { SeededChoice } from "../support/seeded-choice.js";

export const SEED = 0;
const FEATURES = 784;
const CLASSES = 10;
const GENERATED_ROWS = 2000;
/** As many features of a digit are not blank. */
const INKED = 0.2;

/** What all contenders compute, in files that Python reads as easily as we do. Paths are absolute. */
export interface Workload {
  readonly model: ModelSpec;
  readonly optimizer: OptimizerSpec;
  /** Rows of a step, over all ranks. */
  readonly batchSize: number;
  readonly dataset: DatasetSpec;
  /** Rows of the first epoch in the order of their use, uint32. */
  readonly orderPath: string;
  /** Initial parameters, float32, one tensor behind another. */
  readonly weightsPath: string;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

export type WorkloadChoice = Pick<Workload, "model" | "optimizer" | "batchSize" | "dataset">;

/** Writes everything but the rows into `folder`, made for it, and gives the path of the description, JSON of a {@link Workload}. */
export async function writeWorkload(folder: string, choice: WorkloadChoice): Promise<string> {
  const { model, dataset, batchSize } = choice;
  const { train } = dataset;
  if (train.rowCount < batchSize) throw new RangeError(`${train.rowCount} rows are no batch of ${batchSize}`);
  const layout = layoutOf(model);
  const arena = new Float32Array(layout.paddedLength);
  writeInitialParameters(layout, SEED, arena);
  const tensors = layout.slots.map(({ offset, length }) => arena.subarray(offset, offset + length));
  // Whole batches only: the last of an epoch would be a step of another size.
  const order = new Uint32Array(train.rowCount - (train.rowCount % batchSize));
  const key = { seed: SEED, epoch: 1, rowCount: train.rowCount, rowSizeBytes: rowSizeBytes(train) };
  createRowOrder(key).fill(0, order.length, order);
  await mkdir(folder, { recursive: true });
  const workload: Workload = {
    ...choice,
    orderPath: join(folder, "order.bin"),
    weightsPath: join(folder, "weights.bin"),
    tensors: layout.slots.map(({ name, shape }) => ({ name, shape })),
  };
  await writeFile(workload.orderPath, order);
  await writeFile(workload.weightsPath, Buffer.concat(tensors.map(bytesOf)));
  const path = join(folder, "workload.json");
  await writeFile(path, JSON.stringify(workload));
  return path;
}

/** Real digits, an IDX images file beside its labels. @throws RingstrasseError as prepareDataset */
export async function readDigits(path: string, folder: string): Promise<DatasetSpec> {
  const { dataset } = await prepareDataset({
    path,
    labelsPath: null,
    testPath: null,
    testLabelsPath: null,
    features: FEATURES,
    target: { kind: "class", classes: CLASSES },
    labelIndex: null,
    elementPaths: { input: null, output: null, labelIndex: null },
    testSplit: 0,
    seed: SEED,
    cacheDirectory: folder,
  });
  return dataset;
}

/** Rows that cost as much as digits and mean nothing: a fifth of the bytes are not zero. Always the same. */
export async function generateDigits(folder: string): Promise<DatasetSpec> {
  const choice = new SeededChoice(SEED + 1);
  const rows = Buffer.alloc(GENERATED_ROWS * (FEATURES + 4));
  for (let row = 0; row < GENERATED_ROWS; row++) {
    const at = row * (FEATURES + 4);
    for (let k = 0; k < FEATURES; k++) if (choice.next() < INKED) rows[at + k] = choice.whole(1, 255);
    rows.writeUInt32LE(choice.whole(0, CLASSES - 1), at + FEATURES);
  }
  const path = join(folder, "generated-rows.bin");
  await writeFile(path, rows);
  const shape = { rowCount: GENERATED_ROWS, features: FEATURES, targets: 1 };
  return {
    train: { path, ...shape, featureType: "uint8", targetType: "class" },
    test: null,
    transform: { kind: "scale", divisor: 255 },
    classNames: Array.from({ length: CLASSES }, (_, index) => String(index)),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
