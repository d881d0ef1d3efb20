import type { OptionSource } from "../../shared/cli/option-table.js";
import type { EngineWish } from "../../shared/engine-name.js";
import { ENGINE_WISHES } from "../../shared/engine-name.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";
import type { ExecutionWishes } from "../vinnsl/network-definition.js";
import type { Setting } from "./job-settings.js";

export interface EngineSettings {
  readonly engine: Setting<EngineWish>;
  /** Of one replica's computation. */
  readonly threads: Setting<number>;
}

export interface EngineInputs {
  readonly execution: ExecutionWishes;
  readonly options: TrainOptions;
  readonly sources: Partial<Record<TrainOptionName, OptionSource>>;
  /** The document, for messages; null when it came from elsewhere. */
  readonly file: string | null;
}

/**
 * Engine and threads from options and document. Whether the engine is here is not asked. Pure.
 * @throws RingstrasseError CHOICE_UNSUPPORTED: several threads with wasm
 */
export function settleEngine(inputs: EngineInputs): EngineSettings {
  const { execution, options, sources } = inputs;
  const engine: Setting<EngineWish> =
    options.engine !== undefined
      ? { value: options.engine, source: sources.engine ?? "flag" }
      : execution.engine !== undefined
        ? { value: wishOf(execution.engine), source: "document" }
        : { value: "auto", source: "default" };
  const threads: Setting<number> =
    options.threads !== undefined
      ? { value: options.threads, source: sources.threads ?? "flag" }
      : execution.threads !== undefined
        ? { value: execution.threads, source: "document" }
        : { value: 1, source: "default" };
  if (engine.value === "wasm" && threads.value > 1) throw oneThreadOnly(inputs, threads);
  return { engine, threads };
}

function wishOf(name: string): EngineWish {
  const wish = ENGINE_WISHES.find((known) => known === name);
  if (wish === undefined) throw new RangeError(`a document was read with the engine ${name}`);
  return wish;
}

function oneThreadOnly({ execution, file }: EngineInputs, { value, source }: Setting<number>): RingstrasseError {
  const elementPath = execution.paths["threads"] ?? "/definition/executionEnvironment";
  const ofDocument = file === null ? elementPath : `${file}: ${elementPath}:`;
  return new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option: source === "document" ? ofDocument : "--threads",
    value: String(value),
    supported: ["1"],
    remedy: "The engine wasm computes with one thread: use --engine tensorflow for more",
  });
}
