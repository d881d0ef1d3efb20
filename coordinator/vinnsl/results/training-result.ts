import { decimalText } from "../decimal-text.js";
import { leafElement, type ObjectElement, parentElement } from "../object/object-element.js";
import { activationText, dataName, executionEnvironment, networkType, propagationType } from "./document-facts.js";
import { dateText, type EpochFigures, type RunFacts } from "./run-facts.js";
import { evenly, MOST_EPOCHS_TOLD } from "./thin-history.js";
import { encodeWeightMatrix } from "./weight-matrix.js";

/** Small weights stand in the training result too; larger ones in the instance alone. */
const maxWeightBytes = 64 * 1024;

/**
 * `<trainingresultschema>`: how a training went. Valid against the schema for every network that can be trained. Pure.
 * @throws RangeError when weights and model don't fit
 */
export function trainingResult(facts: RunFacts): ObjectElement {
  const { spec, finished, history, weights } = facts;
  const { optimizer, model } = spec;
  const data = dataName(facts);
  const number = (name: string, value: number) => leafElement(name, decimalText(value));
  return parentElement("trainingresultschema", [
    leafElement("identifier", spec.jobId),
    leafElement("creationdate", dateText(facts.finishedAt)),
    parentElement("data", data === null ? [] : [leafElement("file", data)]),
    leafElement(
      "weightmatrix",
      encodeWeightMatrix({ model, weights, file: facts.weightsFile, maxSizeBytes: maxWeightBytes }),
    ),
    leafElement("epochs", String(finished.epochs)),
    number("meanerror", finished.trainLoss),
    leafElement("activationfunction", activationText(model)),
    leafElement("totalexecutiontime", durationText(finished.wallMs)),
    leafElement("epocherrorvalue", epochErrors(history)),
    number("learningrate", optimizer.learningRate),
    number("momentum", "momentum" in optimizer ? optimizer.momentum : 0),
    number("threshold", spec.lossThreshold ?? 0),
    bias(facts),
    executionEnvironment(facts),
    propagationType(facts),
    networkType(facts),
  ]);
}

/** `xs:duration` in seconds. */
function durationText(ms: number): string {
  return `PT${decimalText(Math.round(ms) / 1000)}S`;
}

/** Mean training loss of every epoch; where there are too many to tell, evenly chosen `epoch=loss`. */
function epochErrors(history: readonly EpochFigures[]): string {
  if (history.length <= MOST_EPOCHS_TOLD) return history.map(({ trainLoss }) => decimalText(trainLoss)).join(" ");
  return evenly(history, MOST_EPOCHS_TOLD)
    .map(({ epoch, trainLoss }) => `${epoch}=${decimalText(trainLoss)}`)
    .join(" ");
}

function bias({ spec }: RunFacts): ObjectElement {
  const [first, second] = spec.model.layers.flatMap((layer) => ("initialBias" in layer ? [layer] : []));
  const value = (name: string, layer: typeof first): ObjectElement[] =>
    layer === undefined
      ? []
      : [
          {
            name: "valueparameter",
            attributes: new Map([["name", name]]),
            content: [decimalText(layer.initialBias)],
          },
        ];
  return parentElement("bias", [...value("biasInput", first), ...value("biasHidden", second)]);
}
