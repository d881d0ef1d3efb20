import { decimalText } from "../decimal-text.js";
import { leafElement, type ObjectElement, parentElement } from "../object/object-element.js";
import { dateText, type EpochFigures, type RunFacts } from "./run-facts.js";
import { evenly, MOST_EPOCHS_DRAWN } from "./thin-history.js";

/** What the table's rows may hold, in this order; null: not measured. */
const columns: readonly { readonly name: string; readonly of: (epoch: EpochFigures) => number | null }[] = [
  { name: "training loss", of: ({ trainLoss }) => trainLoss },
  { name: "training accuracy", of: ({ trainAccuracy }) => trainAccuracy },
  { name: "training mean absolute error", of: ({ trainMeanAbsoluteError }) => trainMeanAbsoluteError },
  { name: "test loss", of: ({ testLoss }) => testLoss },
  { name: "test accuracy", of: ({ testAccuracy }) => testAccuracy },
  { name: "test mean absolute error", of: ({ testMeanAbsoluteError }) => testMeanAbsoluteError },
];

/**
 * `<resultschema>`: the curve of the training loss, a table of what was measured after each epoch, and where the whole
 * result is. Valid against the schema, whose tables hold neither signs nor exponents nor gaps: a table has the columns
 * of the last epoch (the diagram's description names them) and the epochs that have them all. Pure.
 */
export function resultSchema(facts: RunFacts): ObjectElement {
  const history = evenly(facts.history, MOST_EPOCHS_DRAWN);
  const measured = columns.filter(({ of }) => measuredIn(history.at(-1), of) !== null);
  return parentElement("resultschema", [
    leafElement("identifier", facts.spec.jobId),
    leafElement("instanceSchemaID", facts.spec.jobId),
    leafElement("creationdate", dateText(facts.finishedAt)),
    ...(history.length === 0 ? [] : [diagram(history, measured), table(history, measured)]),
    ...(facts.resultFile === null ? [] : [leafElement("file", facts.resultFile)]),
  ]);
}

type Column = (typeof columns)[number];

function measuredIn(epoch: EpochFigures | undefined, of: Column["of"]): number | null {
  return epoch === undefined ? null : of(epoch);
}

function diagram(history: readonly EpochFigures[], measured: readonly Column[]): ObjectElement {
  const names = measured.map(({ name }) => name).join(", ");
  const losses = history.map(({ trainLoss }) => trainLoss);
  const lowest = losses.reduce((low, loss) => Math.min(low, loss), Number.POSITIVE_INFINITY);
  const highest = losses.reduce((high, loss) => Math.max(high, loss), Number.NEGATIVE_INFINITY);
  const value = ({ epoch, trainLoss }: EpochFigures) =>
    parentElement("value", [leafElement("xvalue", String(epoch)), leafElement("yvalue", decimalText(trainLoss))]);
  return parentElement("diagram2d", [
    leafElement("title", "Training loss"),
    leafElement("description", `Mean training loss of each epoch. Table: epoch; ${names}`),
    leafElement("type", "line"),
    axis("xaxis", ["Epoch", "Passes over the training rows"], [history.at(0)?.epoch ?? 0, history.at(-1)?.epoch ?? 0]),
    axis("yaxis", ["Loss", "Mean over the rows of an epoch"], [Math.floor(lowest), Math.ceil(highest)]),
    parentElement("values", history.map(value)),
  ]);
}

/** The schema's bounds are whole numbers. */
function axis(
  name: string,
  [title, description]: readonly [string, string],
  [min, max]: readonly [number, number],
): ObjectElement {
  return parentElement(name, [
    leafElement("title", title),
    leafElement("description", description),
    leafElement("min", decimalText(min)),
    leafElement("max", decimalText(max)),
  ]);
}

function table(history: readonly EpochFigures[], measured: readonly Column[]): ObjectElement {
  const rows = history.flatMap((epoch): ObjectElement[] => {
    const values = measured.map(({ of }) => of(epoch));
    if (!values.every((value) => value !== null && value >= 0)) return [];
    const output = values.map((value) => decimalText(value ?? 0)).join(" ");
    return [leafElement("input", String(epoch.epoch)), leafElement("output", output)];
  });
  return parentElement("table", rows);
}
