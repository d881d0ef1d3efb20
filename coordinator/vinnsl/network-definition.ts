import type { Activation, OptimizerKind } from "../../shared/model-spec.js";

/** One block of the document's structure. */
export interface NetworkBlock {
  readonly id: string;
  readonly size: number;
  /** Element path for messages, e.g. `/vinnsl/definition/structure/hidden[2]`. */
  readonly path: string;
}

/** What a ViNNSL document asks for, read and checked, before the data is known. Absent = the document doesn't say. */
export interface NetworkDefinition {
  readonly identifier: string | null;
  /** For people: description's metadata name or the identifier. */
  readonly name: string | null;
  readonly problem: "classification" | "regression";
  readonly input: NetworkBlock;
  /** In the order of the connections, input to output. */
  readonly hidden: readonly (NetworkBlock & { readonly activation: Activation })[];
  /** `activation` null: follows from the problem and the loss. */
  readonly output: NetworkBlock & { readonly activation: Activation | null };
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
