import type { OptionSource } from "../../shared/cli/option-table.js";
import type { EngineWish } from "../../shared/engine-name.js";
import { ENGINE_WISHES } from "../../shared/engine-name.js";
import { oneThreadOnly } from "../../shared/one-thread-only.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";
import type { ExecutionWishes } from "../vinnsl/network-definition.js";
import { type Setting, settle } from "./setting.js";

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
  const wish = execution.engine === undefined ? undefined : wishOf(execution.engine);
  const engine = settle<EngineWish>({ option: options.engine, source: sources.engine, document: wish }, "auto");
  const given = { option: options.threads, source: sources.threads, document: execution.threads };
  const threads = settle(given, 1);
  if (engine.value === "wasm" && threads.value > 1) throw oneThreadOnly(threads.value, askedBy(inputs, threads));
  return { engine, threads };
}

function wishOf(name: string): EngineWish {
  const wish = ENGINE_WISHES.find((known) => known === name);
  if (wish === undefined) throw new RangeError(`a document was read with the engine ${name}`);
  return wish;
}

/** The option, or the element, for a message. */
function askedBy({ execution, file }: EngineInputs, { source }: Setting<number>): string {
  if (source !== "document") return "--threads";
  const elementPath = execution.paths["threads"] ?? "/definition/executionEnvironment";
  return file === null ? elementPath : `${file}: ${elementPath}:`;
}
