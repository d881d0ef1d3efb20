import { readFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { readFailure } from "../../shared/data/data-failure.js";
import { type RowFileSpec, RowFileSpecSchema } from "../../shared/data/dataset-spec.js";
import type { PredictionBatch } from "../../shared/data/load-rows-for-prediction.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { ModelFacts } from "../../shared/model-file/model-facts.js";
import { microBatchOf, rowBuffers, rowBuffersSizeBytes } from "../data/row-buffers.js";
import { RowFileReader } from "../data/row-file-reader.js";
import { rowTransform } from "../data/row-transform.js";

/**
 * Reads the description of a row file that was prepared for a training: {@link RowFileSpec} as JSON.
 * @throws RingstrasseError INPUT_MISSING, DATA_MISMATCH when it is none, or holds other rows than the model takes
 */
export async function readRowFileSpec(path: string, { model }: Pick<ModelFacts, "model">): Promise<RowFileSpec> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw readFailure(path, cause);
  });
  const parsed = RowFileSpecSchema.safeParse(parseJson(text));
  if (!parsed.success) throw mismatch(path, "it is no description of a row file", parsed.error);
  const { features, targetType, targets } = parsed.data;
  const expected =
    model.targets.kind === "class"
      ? { features: model.inputs, targetType: "class", targets: 1 }
      : { features: model.inputs, targetType: "float32", targets: model.targets.outputs };
  if (features === expected.features && targetType === expected.targetType && targets === expected.targets) {
    return parsed.data;
  }
  const rows = (of: typeof expected) => `${of.features} features and ${of.targets} targets (${of.targetType})`;
  throw mismatch(path, `its rows have ${rows({ features, targetType, targets })}, the model's ${rows(expected)}`);
}

/**
 * The rows of a row file in its order, with the bits that training would have seen. One batch is held at a time, and is valid until
 * the next one is asked for.
 * @param batchRows rows per batch; the last one may have fewer
 * @throws RingstrasseError INPUT_MISSING, DATA_INVALID
 */
export async function* preparedRows(
  file: RowFileSpec,
  { transform }: Pick<ModelFacts, "transform">,
  batchRows: number,
): AsyncGenerator<PredictionBatch, void, undefined> {
  using reader = new RowFileReader(file, await rowTransform(transform, file));
  const buffers = rowBuffers(new ArrayBuffer(rowBuffersSizeBytes(file, batchRows)), file, batchRows);
  for (let from = 0; from < file.rowCount; from += batchRows) {
    const rowNumbers = Uint32Array.from(
      { length: Math.min(batchRows, file.rowCount - from) },
      (_, index) => from + index,
    );
    reader.readRows(rowNumbers, buffers);
    const { count, x, targets } = microBatchOf(buffers, file, rowNumbers.length);
    // Reading does not wait: without this nothing else would be heard until the end.
    await nextTurn();
    yield { count, rowNumbers: rowNumbers.map((row) => row + 1), x, targets };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no description either; the caller says so.
    return null;
  }
}

function mismatch(file: string, problem: string, cause?: unknown): RingstrasseError {
  const remedy = "Give the rows as --data";
  return new RingstrasseError({ code: "DATA_MISMATCH", file, elementPath: null, problem, remedy }, { cause });
}
