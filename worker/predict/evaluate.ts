import type { Evaluation } from "../../shared/api/evaluation.js";
import type { PredictionBatch } from "../../shared/data/load-rows-for-prediction.js";
import type { ModelFacts } from "../../shared/model-file/model-facts.js";
import { readModel } from "../../shared/model-file/read-model.js";
import { createEngine } from "../engine/create-engine.js";
import { evaluateRows } from "./evaluate-rows.js";
import { batchRowsOf, rowsOf } from "./model-rows.js";
import { preparedRows, readRowFileSpec } from "./prepared-rows.js";
import { type EngineChoice, settledEngine } from "./settled-engine.js";

export interface EvaluateOptions extends EngineChoice {
  /** A model directory, its `model.json`, or a run's output directory. */
  readonly modelDirectory: string;
  readonly rows:
    | {
        readonly kind: "data" /** CSV or IDX images. */;
        readonly dataPath: string;
        /** Labels of IDX images; null: those that lie beside them. */
        readonly labelsPath: string | null;
      }
    | { readonly kind: "prepared" /** The description of a row file, as JSON. */; readonly rowFile: string };
}

/**
 * `ringstrasse predict --evaluate`: how good a model is at rows that say what is right. Memory does not grow with the data.
 * @throws RingstrasseError MODEL_INVALID, INPUT_MISSING, DATA_INVALID, DATA_MISMATCH, CHOICE_UNSUPPORTED, ENGINE_UNAVAILABLE, USAGE
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { modelDirectory, rows } = options;
  const model = await readModel(modelDirectory);
  const { facts, layout } = model;
  const { name } = await settledEngine(options);
  await using engine = await createEngine(name, facts.model, layout, { threads: options.threads ?? 1 });
  const source = rows.kind === "data" ? rows.dataPath : rows.rowFile;
  return await evaluateRows({ model, engine, rows: await openRows(facts, rows), source });
}

async function openRows(facts: ModelFacts, rows: EvaluateOptions["rows"]): Promise<AsyncIterable<PredictionBatch>> {
  if (rows.kind === "data") return rowsOf(facts, rows);
  return preparedRows(await readRowFileSpec(rows.rowFile, facts), facts, batchRowsOf(facts));
}

/** For a person, with line end: the figures, and a table of classes by what they were taken for. Pure. */
export function describeEvaluation(evaluation: Evaluation): string {
  const { rows, loss, accuracy, meanAbsoluteError, confusion, weightsSha256, engine } = evaluation;
  const lines = [
    `rows                 ${rows}`,
    ...(accuracy === null ? [] : [`accuracy             ${(accuracy * 100).toFixed(2)} %`]),
    ...(accuracy !== null ? [] : [`mean absolute error  ${meanAbsoluteError?.toPrecision(4) ?? "not finite"}`]),
    `loss                 ${loss?.toPrecision(4) ?? "not finite"}`,
    `weightsSha256        ${weightsSha256}`,
    `engine               ${engine}`,
    ...(confusion === null ? [] : ["", ...confusionLines(confusion)]),
  ];
  return `${lines.join("\n")}\n`;
}

function confusionLines({ classNames, counts }: NonNullable<Evaluation["confusion"]>): string[] {
  const head = ["is \\ taken for", ...classNames];
  const body = counts.map((cells, actual) => [classNames[actual] ?? "", ...cells.map(String)]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0)));
  return [head, ...body].map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}
