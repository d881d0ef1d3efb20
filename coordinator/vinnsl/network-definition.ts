import type { RowShape } from "../../shared/layer-shape.js";
import type { ScheduleKind } from "../../shared/learning-rate/schedule.js";
import type { WarmUp } from "../../shared/learning-rate/warm-up.js";
import type { Activation, OptimizerKind, Padding } from "../../shared/model-spec.js";
import type { PayloadFormat, Precision } from "../../shared/step-rules.js";
import type { Strategy } from "../../shared/strategy-choice.js";

/** One block of the document's structure. */
export interface NetworkBlock {
  readonly id: string;
  /** Numbers of a row that come out of it: units of a dense block, height · width · channels of images. */
  readonly size: number;
  /** Element path for messages, e.g. `/vinnsl/definition/structure/hidden[2]`. */
  readonly path: string;
}

/** The rows that come in. */
export interface InputBlock extends NetworkBlock {
  /** `[height, width, channels]` of rows that are images. */
  readonly image?: readonly [number, number, number];
}

/** What a hidden block that is not dense does to the rows. */
export type BlockLayer =
  | ({ readonly kind: "conv2d"; readonly filters: number; readonly kernel: Extent } & Movement)
  | ({ readonly kind: "maxPool" | "avgPool"; readonly window: Extent } & Movement)
  | { readonly kind: "flatten" }
  | { readonly kind: "activation" }
  | { readonly kind: "dropout"; readonly rate: number }
  | ({ readonly kind: "batchNorm" } & Normalisation);

/** Height and width. */
export type Extent = readonly [number, number];

/** How a window moves over an image. */
export interface Movement {
  readonly stride: Extent;
  readonly padding: Padding;
}

export interface Normalisation {
  readonly momentum: number;
  readonly epsilon: number;
}

/** What a block with weights may have beside them. */
export interface WeightedBlock extends NetworkBlock {
  /** Penalty on the squares of the weights. */
  readonly l2?: number;
  /** Shortcuts that lead to this block, from the blocks with these places in `hidden`; −1: from the input. Dense blocks only. */
  readonly shortcuts?: readonly number[];
}

export interface HiddenBlock extends WeightedBlock {
  /** Null: the layer has none of its own. */
  readonly activation: Activation | null;
  /** Absent: dense, with `size` units. */
  readonly layer?: BlockLayer;
  /** Batch normalisation between the weighted sums and the activation, of dense and convolution blocks. */
  readonly normalisation?: Normalisation;
  /** What comes out of the block, where that is images. */
  readonly shape?: RowShape;
}

/** What a ViNNSL document asks for, read and checked, before the data is known. Absent = the document doesn't say. */
export interface NetworkDefinition {
  readonly identifier: string | null;
  /** For people: description's metadata name or the identifier. */
  readonly name: string | null;
  readonly problem: "classification" | "regression";
  readonly input: InputBlock;
  /** In the order of the connections, input to output. */
  readonly hidden: readonly HiddenBlock[];
  /** `activation` null: follows from the problem and the loss. */
  readonly output: WeightedBlock & { readonly activation: Activation | null };
  readonly parameters: TrainingParameters;
  readonly execution: ExecutionWishes;
  /** Names the data when nothing else does, e.g. `name/iris.txt`. */
  readonly dataSchemaId: string | null;
  /** Things the reader put right or that a person should know; never used for something ignored that matters. */
  readonly warnings: readonly string[];
}

/** `path` of each parameter that is present, so that later errors can name the element. */
export interface TrainingParameters {
  readonly learningRate?: number;
  readonly momentum?: number;
  /** Initial bias of the first hidden layer. */
  readonly biasInput?: number;
  /** Initial bias of all other layers. */
  readonly biasHidden?: number;
  readonly threshold?: number;
  readonly epochs?: number;
  readonly seed?: number;
  readonly batchSize?: number;
  /** 0-based column of the label (first target column for several outputs). */
  readonly labelIndex?: number;
  readonly optimizer?: OptimizerKind;
  readonly loss?: "crossEntropy" | "meanSquaredError" | "meanAbsoluteError";
  /** Fraction of rows held out, 0 ≤ f < 1. */
  readonly testSplit?: number;
  /** Micro-batches of a replica's slice of a step. */
  readonly accumulate?: number;
  /** Longest mean gradient. */
  readonly clipNorm?: number;
  readonly precision?: Precision;
  readonly schedule?: ScheduleKind;
  /** Factor of the learning rate at each fall. */
  readonly decay?: number;
  /** Epochs between falls. */
  readonly decayEvery?: number;
  /** Where the learning rate ends, as a share of its full height. */
  readonly finalRate?: number;
  readonly power?: number;
  readonly warmUp?: WarmUp;
  /** Rows of the step that the learning rate is meant for: it is scaled to the job's. */
  readonly referenceBatch?: number;
  readonly compress?: PayloadFormat;
  readonly lossScale?: number | "dynamic";
  /** Of topk: share of its gradients that a replica sends. */
  readonly topkFraction?: number;
  readonly strategy?: Strategy;
  /** Of the strategy async: steps ahead of the slowest worker. */
  readonly maxStaleness?: number;
  /** Of the strategy local-sgd, like the next two: steps between exchanges. */
  readonly syncEvery?: number;
  readonly outerLearningRate?: number;
  readonly outerMomentum?: number;
  readonly paths: Readonly<Record<string, string>>;
}

/** From `executionEnvironment/parallel`. */
export interface ExecutionWishes {
  readonly workers?: number;
  readonly minWorkers?: number;
  readonly maxWorkers?: number;
  readonly replicas?: number;
  readonly threads?: number;
  readonly collective?: string;
  readonly engine?: string;
  readonly paths: Readonly<Record<string, string>>;
}
