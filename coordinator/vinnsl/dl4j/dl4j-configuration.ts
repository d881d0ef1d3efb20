/** A Java class and its properties, as Jackson names them; `@class` first, the others in alphabetical order. */
export interface Dl4jValue {
  readonly "@class": string;
  readonly [property: string]: Dl4jJson;
}
export type Dl4jJson = string | number | boolean | null | readonly Dl4jJson[] | { readonly [key: string]: Dl4jJson };

/** One layer with its settings: a NeuralNetConfiguration. */
export interface Dl4jLayerConfiguration {
  readonly cacheMode: "NONE";
  readonly dataType: "FLOAT";
  readonly epochCount: number;
  readonly iterationCount: number;
  readonly layer: Dl4jValue;
  readonly maxNumLineSearchIterations: number;
  readonly miniBatch: boolean;
  readonly minimize: boolean;
  readonly optimizationAlgo: "STOCHASTIC_GRADIENT_DESCENT";
  readonly seed: number;
  readonly stepFunction: null;
  readonly variables: readonly string[];
}

/** What `MultiLayerConfiguration.toJson()` of DL4J 1.0.0-beta7 writes, and `fromJson` of it and later versions reads. */
export interface Dl4jConfiguration {
  readonly backpropType: "Standard";
  readonly cacheMode: "NONE";
  readonly confs: readonly Dl4jLayerConfiguration[];
  readonly dataType: "FLOAT";
  readonly epochCount: number;
  readonly inferenceWorkspaceMode: "ENABLED";
  /** By the index of the layer that they stand before. */
  readonly inputPreProcessors: Readonly<Record<string, Dl4jValue>>;
  readonly iterationCount: number;
  readonly tbpttBackLength: number;
  readonly tbpttFwdLength: number;
  readonly trainingWorkspaceMode: "ENABLED";
  readonly validateOutputLayerConfig: boolean;
}
