import type { ArenaLayout } from "../../shared/arena-layout.js";
import type { ModelSpec } from "../../shared/model-spec.js";
import type { Precision } from "../../shared/step-rules.js";

/** The rows that one replica computes in one step, or one batch to predict. Owned by the caller; valid until the call returns. */
export interface MicroBatch {
  /** Rows; at least 1. */
  readonly count: number;
  /** `[count, inputs]`, row-major. */
  readonly x: Float32Array;
  readonly targets:
    | { readonly kind: "class" /** `[count]` */; readonly classes: Uint32Array }
    | { readonly kind: "values" /** `[count, outputs]` */; readonly values: Float32Array };
}

/** Sums over the rows of a micro-batch, never means: they are folded over replicas and divided once. */
export interface StepSums {
  readonly lossSum: number;
  /** Rows whose class was predicted rightly; 0 for real-valued targets. */
  readonly correct: number;
  /** Σ over rows of the mean absolute error over outputs; 0 for classes. */
  readonly absoluteErrorSum: number;
  readonly count: number;
}

/** Names one computation, for random numbers that depend on it (dropout). */
export interface StepPosition {
  readonly epoch: number;
  readonly step: number;
  readonly replica: number;
  /** Counts the micro-batches of the replica's slice from 0. Absent: 0. */
  readonly accumulation?: number;
}

/** What workers of one job must have in common to produce the same bits. */
export interface EngineIdentity {
  readonly name: string;
  readonly version: string;
  /** e.g. `wasm-simd/x64`. */
  readonly instructionSet: string;
}

/**
 * Computes gradients of one model. One call at a time. Nothing outside an engine's folder knows the library behind it.
 * All arenas have the layout the engine was created with.
 */
export interface Engine extends AsyncDisposable {
  readonly identity: EngineIdentity;
  /**
   * Takes the parameters, and the running statistics behind them; all computations use them until the next call. An engine copies them,
   * unless they lie in shared memory: there it may go on looking at them where they are, so they must not change before the next
   * call. Call it after every commit, once for all replicas of the worker: what the engine derives from parameters (packed or
   * transposed copies) is then made only once.
   */
  loadParameters(parameters: Float32Array): void;
  /**
   * Gradient *sums* over the micro-batch (not means) of every parameter into their slots of `into`; padding is left alone. Into the
   * slot of a running statistic goes the batch's moment times its rows: folded over replicas and divided by all rows, that is what
   * the statistic moves towards.
   * `onBucketReady(layer)` is called as soon as all gradients of `layer` are final, last layer first.
   */
  computeGradients(
    batch: MicroBatch,
    position: StepPosition,
    into: Float32Array,
    onBucketReady?: (layer: number) => void,
  ): Promise<StepSums>;
  /** Loss and metrics without gradients. */
  evaluate(batch: MicroBatch): Promise<StepSums>;
  /** Activated outputs `[count, outputs]`, row-major; a fresh array. */
  predict(x: Float32Array, count: number): Promise<Float32Array>;
}

/** What an engine needs to know of the job beside its model. */
export interface EngineOptions {
  /** Of the job's random numbers; dropout uses it. Default 0. */
  readonly seed?: number;
  /** That one computation may use. Default 1. A process keeps the number that its first native engine got. */
  readonly threads?: number;
  /** Of the layers' products. Default float32. */
  readonly precision?: Precision;
  /** Hears, once each, what the user should know: a sentence without its period. Default: nobody listens. */
  readonly report?: (text: string) => void;
}

/** @throws RingstrasseError ENGINE_UNAVAILABLE, CHOICE_UNSUPPORTED (a loss that does not go with the model) */
export type CreateEngine = (model: ModelSpec, layout: ArenaLayout, options?: EngineOptions) => Promise<Engine>;
