import { HIGHEST_POWER } from "../../shared/learning-rate/schedule.js";
import type { Activation, OptimizerKind } from "../../shared/model-spec.js";
import { OptimizerSpecSchema } from "../../shared/model-spec.js";
import { MOST_STEPS_OF_ROUND } from "../../shared/round-rules.js";
import { MOST_MICRO_BATCHES } from "../../shared/step-rules.js";
import { quote, unsupportedAt } from "./document-error.js";
import { foldName } from "./element-rule.js";
import type { NamedValue } from "./named-values.js";
import { byMeaning, readNamedValues } from "./named-values.js";
import type { TrainingParameters } from "./network-definition.js";
import { isActivation, readActivation } from "./read-activation.js";
import type { NumberRange } from "./read-number.js";
import { readNumber } from "./read-number.js";
import { readStepWords, type StepWords } from "./read-step-words.js";
import type { XmlElement } from "./xml-element.js";

/** What `<parameters>` of a definition says. */
export interface ParametersReading {
  readonly parameters: TrainingParameters;
  /** For every hidden block that has none of its own; null when the document doesn't say. */
  readonly activation: Activation | null;
  readonly warnings: readonly string[];
}

const numbers = {
  learningRate: { whole: false, moreThan: 0 },
  momentum: { whole: false, min: 0, lessThan: 1 },
  biasInput: { whole: false },
  biasHidden: { whole: false },
  threshold: { whole: false, min: 0 },
  epochs: { whole: true, min: 1, max: 1e9 },
  seed: { whole: true, min: 0, max: Number.MAX_SAFE_INTEGER },
  batchSize: { whole: true, min: 1, max: Number.MAX_SAFE_INTEGER },
  labelIndex: { whole: true, min: 0, max: 1_000_000 },
  testSplit: { whole: false, min: 0, lessThan: 1 },
  accumulate: { whole: true, min: 1, max: MOST_MICRO_BATCHES },
  clipNorm: { whole: false, moreThan: 0 },
  decay: { whole: false, moreThan: 0, max: 1 },
  decayEvery: { whole: true, min: 1, max: 1e9 },
  finalRate: { whole: false, min: 0, max: 1 },
  power: { whole: true, min: 1, max: HIGHEST_POWER },
  referenceBatch: { whole: true, min: 1, max: Number.MAX_SAFE_INTEGER },
  topkFraction: { whole: false, moreThan: 0, max: 1 },
  maxStaleness: { whole: true, min: 1, max: 1e6 },
  syncEvery: { whole: true, min: 1, max: MOST_STEPS_OF_ROUND },
  outerLearningRate: { whole: false, moreThan: 0 },
  outerMomentum: { whole: false, min: 0, lessThan: 1 },
} as const satisfies Partial<Record<keyof TrainingParameters, NumberRange>>;
type NumberName = keyof typeof numbers;

type Meaning = NumberName | keyof StepWords | "optimizer" | "loss" | "activation" | "trainerClass";

/** By folded name. */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["learningrate", "learningRate"],
  ["momentum", "momentum"],
  ["biasinput", "biasInput"],
  ["biashidden", "biasHidden"],
  ["threshold", "threshold"],
  ["iterations", "epochs"],
  ["epochs", "epochs"],
  ["seed", "seed"],
  ["batchsize", "batchSize"],
  ["labelindex", "labelIndex"],
  ["testsplit", "testSplit"],
  ["accumulate", "accumulate"],
  ["gradientnormalizationthreshold", "clipNorm"],
  ["precision", "precision"],
  ["schedule", "schedule"],
  ["decay", "decay"],
  ["decayevery", "decayEvery"],
  ["finalrate", "finalRate"],
  ["power", "power"],
  ["warmup", "warmUp"],
  ["referencebatchsize", "referenceBatch"],
  ["compress", "compress"],
  ["lossscale", "lossScale"],
  ["topkfraction", "topkFraction"],
  ["strategy", "strategy"],
  ["maxstaleness", "maxStaleness"],
  ["syncevery", "syncEvery"],
  ["outerlearningrate", "outerLearningRate"],
  ["outermomentum", "outerMomentum"],
  ["optimizer", "optimizer"],
  ["optimiser", "optimizer"],
  ["loss", "loss"],
  ["lossfunction", "loss"],
  ["dl4jtrainerclass", "trainerClass"],
]);

const supportedNames = [
  "learningrate",
  "momentum",
  "biasInput",
  "biasHidden",
  "threshold",
  "iterations",
  "epochs",
  "seed",
  "batchsize",
  "labelIndex",
  "optimizer",
  "loss",
  "testsplit",
  "activationfunction",
  "accumulate",
  "gradientNormalizationThreshold",
  "precision",
  "schedule",
  "decay",
  "decayEvery",
  "finalRate",
  "power",
  "warmUp",
  "referenceBatchSize",
  "compress",
  "lossScale",
  "topkFraction",
  "strategy",
  "maxStaleness",
  "syncEvery",
  "outerLearningRate",
  "outerMomentum",
];

type LossWish = NonNullable<TrainingParameters["loss"]>;

const losses: ReadonlyMap<string, LossWish> = new Map<string, LossWish>([
  ["crossentropy", "crossEntropy"],
  ["categoricalcrossentropy", "crossEntropy"],
  ["binarycrossentropy", "crossEntropy"],
  ["softmaxcrossentropy", "crossEntropy"],
  ["mse", "meanSquaredError"],
  ["meansquarederror", "meanSquaredError"],
  ["mae", "meanAbsoluteError"],
  ["meanabsoluteerror", "meanAbsoluteError"],
]);

/**
 * Reads a definition's `<parameters>`: names in any case, with `_`, `-` and blanks left out of account, in whichever
 * kind of parameter element they stand. `paths` of the result is keyed by the fields of {@link TrainingParameters}.
 *
 * @throws RingstrasseError DOCUMENT_UNSUPPORTED: unknown parameter, optimizer, loss or activation; DOCUMENT_INVALID:
 *   values that are no numbers or out of range, or two values for one thing.
 */
export function readParameters(element: XmlElement | undefined): ParametersReading {
  const found = byMeaning(readNamedValues(element), meaningOf);
  const paths: Record<string, string> = {};
  for (const [meaning, { element: source }] of found) {
    if (meaning !== "activation" && meaning !== "trainerClass") paths[meaning] = source.place.elementPath;
  }
  const values: Partial<Record<NumberName, number>> = {};
  for (const name of Object.keys(numbers).filter(isNumberName)) {
    const value = found.get(name);
    if (value !== undefined) values[name] = readNumber(value.element, value.name, numbers[name]);
  }
  const optimizer = found.get("optimizer");
  const loss = found.get("loss");
  const activation = found.get("activation");
  const trainerClass = found.get("trainerClass");
  return {
    parameters: {
      ...values,
      ...(optimizer === undefined ? {} : { optimizer: readOptimizer(optimizer.element) }),
      ...(loss === undefined ? {} : { loss: readLoss(loss.element) }),
      ...readStepWords(found),
      paths,
    },
    activation: activation === undefined ? null : readActivation(activation.element),
    warnings: trainerClass === undefined ? [] : [describeTrainerClass(trainerClass)],
  };
}

function isNumberName(name: string): name is NumberName {
  return Object.hasOwn(numbers, name);
}

function meaningOf(value: NamedValue): Meaning {
  const meaning = isActivation(value) ? "activation" : meanings.get(value.key);
  if (meaning !== undefined) return meaning;
  throw unsupportedAt(value.element.place, `unknown parameter ${quote(value.name)}`, supportedNames);
}

function readOptimizer(element: XmlElement): OptimizerKind {
  const kinds = OptimizerSpecSchema.options.map((option) => option.shape.kind.value);
  const kind = kinds.find((each) => each === foldName(element.text));
  if (kind !== undefined) return kind;
  throw unsupportedAt(element.place, `unknown optimizer ${quote(element.text)}`, kinds);
}

function readLoss(element: XmlElement): LossWish {
  const loss = losses.get(foldName(element.text));
  if (loss !== undefined) return loss;
  throw unsupportedAt(element.place, `unknown loss ${quote(element.text)}`, [
    "crossentropy",
    "mse (meanSquaredError)",
    "mae (meanAbsoluteError)",
  ]);
}

function describeTrainerClass({ name, element }: NamedValue): string {
  return (
    `${element.place.elementPath}: ${name} names another program's trainer; ` +
    "here the structure of the document is trained"
  );
}
