import type { OptionSource } from "../../shared/cli/option-table.js";
import type { EngineWish } from "../../shared/engine-name.js";
import { hasPrecision } from "../../shared/engine-precision.js";
import { RingstrasseError } from "../../shared/failure.js";
import { float32Only } from "../../shared/float32-only.js";
import type { ModelSpec, OptimizerSpec } from "../../shared/model-spec.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";
import type { NetworkDefinition } from "../vinnsl/network-definition.js";
import { networkModel } from "../vinnsl/network-model.js";
import { type Setting, settle } from "./setting.js";
import { settleEngine } from "./settle-engine.js";
import { settleStep } from "./settle-step.js";
import { settleWorkers, type WorkerRange } from "./settle-workers.js";
import type { StepSettings } from "./step-settings.js";

const DEFAULTS = { epochs: 100, learningRate: 0.1, testSplit: 0.2, seed: 0 } as const;

/** What a job will do, before the data is known. */
export interface JobSettings {
  /** N of a run whose number of workers is fixed at its start. */
  readonly workers: Setting<number>;
  readonly replicas: Setting<number>;
  /** Where the number of workers is free: how many the job may run on. */
  readonly workerRange: WorkerRange;
  readonly epochs: Setting<number>;
  /** Null: all training rows at once. */
  readonly batchSize: Setting<number | null>;
  readonly seed: Setting<number>;
  readonly testSplit: Setting<number>;
  readonly labelIndex: Setting<number | null>;
  readonly lossThreshold: Setting<number | null>;
  readonly optimizer: OptimizerSpec;
  readonly model: ModelSpec;
  readonly engine: Setting<EngineWish>;
  /** Of one replica's computation. */
  readonly threads: Setting<number>;
  /** How steps are cut, exchanged and applied. */
  readonly step: StepSettings;
}

export interface SettingsInputs {
  readonly definition: NetworkDefinition;
  readonly options: TrainOptions;
  readonly sources: Partial<Record<TrainOptionName, OptionSource>>;
  /** The document, for messages; null when it came from elsewhere. */
  readonly file: string | null;
}

/**
 * What command line, configuration and document mean together: options rank over the document, the document over the defaults. Pure.
 * @throws RingstrasseError USAGE or DOCUMENT_INVALID for numbers of workers that contradict each other, CHOICE_UNSUPPORTED or DOCUMENT_UNSUPPORTED for what can't be done.
 */
export function settleJob(inputs: SettingsInputs): JobSettings {
  const { definition, options, sources } = inputs;
  const { parameters, execution } = definition;
  const given = (name: "epochs" | "batch-size" | "seed" | "test-split", document: number | undefined) => ({
    option: options[name],
    source: sources[name],
    document,
  });
  const documentOnly = (document: number | undefined) => ({ option: undefined, source: undefined, document });
  const threshold = parameters.threshold === 0 ? undefined : parameters.threshold;
  const engine = settleEngine({ execution, options, sources, file: inputs.file });
  const step = settleStep({ parameters, options, sources, file: inputs.file });
  const { precision } = step;
  if (engine.engine.value === "wasm" && !hasPrecision("wasm", precision.value))
    throw float32Only(precision.value, precisionAskedBy(precision, parameters));
  return {
    ...settleWorkers({ execution, options, sources, file: inputs.file }),
    ...engine,
    epochs: settle(given("epochs", parameters.epochs), DEFAULTS.epochs),
    batchSize: settle<number | null>(given("batch-size", parameters.batchSize), null),
    seed: settle(given("seed", parameters.seed), DEFAULTS.seed),
    testSplit: settle(given("test-split", parameters.testSplit), DEFAULTS.testSplit),
    labelIndex: settle<number | null>(documentOnly(parameters.labelIndex), null),
    lossThreshold: settle<number | null>(documentOnly(threshold), null),
    step,
    optimizer: optimizerOf(definition, inputs.file),
    model: networkModel(definition, inputs.file),
  };
}

/** The option, or the element, for a message. Pure. */
export function precisionAskedBy(
  { source }: StepSettings["precision"],
  { paths }: NetworkDefinition["parameters"],
): string {
  return source === "document" ? (paths["precision"] ?? "precision") : "--precision";
}

/** The optimizer that the document's parameters name; momentum alone means SGD with momentum. */
function optimizerOf({ parameters }: NetworkDefinition, file: string | null): OptimizerSpec {
  const learningRate = parameters.learningRate ?? DEFAULTS.learningRate;
  const momentum = parameters.momentum ?? 0;
  const kind = parameters.optimizer ?? (momentum > 0 ? "momentum" : "sgd");
  const elementPath = parameters.paths["momentum"] ?? null;
  if (momentum > 0 && !["sgd", "momentum", "nesterov"].includes(kind)) {
    const problem = `the optimizer ${kind} has no momentum of its own to set`;
    const supported = ["momentum with sgd, momentum or nesterov", `${kind} without momentum`];
    throw new RingstrasseError({
      code: "DOCUMENT_UNSUPPORTED",
      file,
      line: null,
      column: null,
      elementPath,
      problem,
      supported,
    });
  }
  switch (kind) {
    case "sgd":
      return momentum > 0 ? { kind: "momentum", learningRate, momentum } : { kind, learningRate };
    case "momentum":
    case "nesterov":
      return { kind, learningRate, momentum: parameters.momentum ?? 0.9 };
    case "adam":
      return { kind, learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    case "adamw":
      return { kind, learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.01 };
    case "rmsprop":
      return { kind, learningRate, decay: 0.9, epsilon: 1e-7 };
    case "adagrad":
      return { kind, learningRate, initialAccumulator: 0.1, epsilon: 1e-7 };
  }
}
