import type { OptionSource } from "../../shared/cli/option-table.js";
import type { WarmUp } from "../../shared/learning-rate/warm-up.js";
import type { PayloadFormat, Precision } from "../../shared/step-rules.js";
import type { Strategy } from "../../shared/strategy-choice.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";
import type { TrainingParameters } from "../vinnsl/network-definition.js";
import type { Setting } from "./setting.js";
import type { ScheduleWish } from "./settle-schedule.js";

/** How a job's steps are cut, computed, exchanged and applied, before the data is known. */
export interface StepSettings {
  /** K */
  readonly accumulate: Setting<number>;
  readonly clipNorm: Setting<number | null>;
  readonly precision: Setting<Precision>;
  readonly schedule: Setting<ScheduleWish>;
  /** Null: none. */
  readonly warmUp: Setting<WarmUp | null>;
  /** Rows of the step that the learning rate is meant for; null: it is meant for every step. */
  readonly referenceBatch: Setting<number | null>;
  readonly compress: Setting<PayloadFormat>;
  /** Of fp16 alone. */
  readonly lossScale: Setting<number | "dynamic">;
  /** Of topk alone. */
  readonly topkFraction: Setting<number>;
  readonly strategy: Setting<Strategy>;
  /** S, of async alone. */
  readonly maxStaleness: Setting<number>;
  /** H, of local-sgd alone, like all that follows. */
  readonly syncEvery: Setting<number>;
  readonly outerLearningRate: Setting<number>;
  readonly outerMomentum: Setting<number>;
}

export interface StepInputs {
  readonly parameters: TrainingParameters;
  readonly options: TrainOptions;
  readonly sources: Partial<Record<TrainOptionName, OptionSource>>;
  /** The document, for messages; null when it came from elsewhere. */
  readonly file: string | null;
}
