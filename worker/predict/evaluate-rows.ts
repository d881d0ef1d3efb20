import type { Evaluation } from "../../shared/api/evaluation.js";
import type { PredictionBatch } from "../../shared/data/load-rows-for-prediction.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { TrainedModel } from "../../shared/model-file/read-model.js";
import { outputsOf } from "../../shared/model-spec.js";
import type { Engine } from "../engine/engine.js";
import { predictedClass } from "./prediction-format.js";

/** A matrix has as many cells as the square of the classes. */
const MOST_CLASSES_TOLD_APART = 1000;

export interface EvaluationRun {
  readonly model: TrainedModel;
  /** Made for the model and its layout; stays the caller's. */
  readonly engine: Engine;
  readonly rows: AsyncIterable<PredictionBatch>;
  /** What the rows come from, for messages. */
  readonly source: string;
}

/**
 * Judges a model by rows whose targets are known: the figures that training gives of its test rows, and which classes were taken for
 * which. Two forward passes of each batch; memory does not grow with the rows.
 * @throws RingstrasseError DATA_MISMATCH when the rows don't say what is right, or there are none; what rows and engine throw
 */
export async function evaluateRows({ model, engine, rows, source }: EvaluationRun): Promise<Evaluation> {
  const { facts, parameters } = model;
  const outputs = outputsOf(facts.model);
  const { classNames } = facts;
  const counts =
    classNames === null || classNames.length > MOST_CLASSES_TOLD_APART
      ? null
      : classNames.map(() => classNames.map(() => 0));
  const sums = { rows: 0, lossSum: 0, correct: 0, absoluteErrorSum: 0 };
  engine.loadParameters(parameters);
  for await (const { count, x, targets } of rows) {
    if (targets === null) throw unlabelled(source, targetsText(classNames !== null));
    const judged = await engine.evaluate({ count, x, targets });
    sums.rows += count;
    sums.lossSum += judged.lossSum;
    sums.correct += judged.correct;
    sums.absoluteErrorSum += judged.absoluteErrorSum;
    if (counts === null || targets.kind !== "class") continue;
    const predicted = await engine.predict(x, count);
    for (const [row, actual] of targets.classes.entries()) {
      const taken = predictedClass(predicted.subarray(row * outputs, (row + 1) * outputs));
      const cells = counts[actual];
      if (taken !== null && cells !== undefined) cells[taken] = (cells[taken] ?? 0) + 1;
    }
  }
  if (sums.rows === 0) throw mismatch(source, "there are no rows to judge the model by", "Give some");
  const classes = classNames !== null;
  return {
    rows: sums.rows,
    loss: finite(sums.lossSum / sums.rows),
    accuracy: classes ? sums.correct / sums.rows : null,
    meanAbsoluteError: classes ? null : finite(sums.absoluteErrorSum / sums.rows),
    confusion: counts === null || classNames === null ? null : { classNames: [...classNames], counts },
    weightsSha256: facts.weightsSha256,
    engine: engine.identity.name,
  };
}

function targetsText(areClasses: boolean): string {
  return areClasses ? "the label column, or images with their labels" : "the target columns";
}

function unlabelled(source: string, needed: string): RingstrasseError {
  return mismatch(
    source,
    "the rows don't say what is right, so there is nothing to judge by",
    `Give rows with ${needed}`,
  );
}

function mismatch(file: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "DATA_MISMATCH", file, elementPath: null, problem, remedy });
}

/** JSON has no other numbers. */
function finite(figure: number): number | null {
  return Number.isFinite(figure) ? figure : null;
}
