import process from "node:process";
import type { ArenaLayout } from "../../shared/arena-layout.js";
import type { NativeEngineName } from "../../shared/engine-store/engine-release.js";
import { requireUsableEngine } from "../../shared/engine-store/usable-engine.js";
import { RingstrasseError } from "../../shared/failure.js";
import { float32Only } from "../../shared/float32-only.js";
import type { ModelSpec } from "../../shared/model-spec.js";
import { readEnvironment } from "../config.js";
import type { CreateEngine, Engine, EngineOptions } from "./engine.js";
import { tensorflowEngine } from "./tensorflow/tensorflow-engine.js";
import { WasmEngine } from "./wasm/wasm-engine.js";

const ENGINES: ReadonlyMap<string, CreateEngine> = new Map<string, CreateEngine>([
  ["wasm", inFloat32(WasmEngine.create)],
  ["tensorflow", native("tensorflow")],
  ["tensorflow-gpu", native("tensorflow-gpu")],
]);

/**
 * The engine of that name; never another in its place.
 * @throws RingstrasseError CHOICE_UNSUPPORTED for a name that this version doesn't have, or a precision that the engine hasn't; whatever the engine throws.
 */
export async function createEngine(
  name: string,
  model: ModelSpec,
  layout: ArenaLayout,
  options?: EngineOptions,
): Promise<Engine> {
  const create = ENGINES.get(name);
  if (create !== undefined) return await create(model, layout, options);
  throw new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option: "engine",
    value: name,
    supported: [...ENGINES.keys()],
    remedy: "Use --engine wasm",
  });
}

/** An engine that has no other precision. @throws RingstrasseError CHOICE_UNSUPPORTED */
function inFloat32(create: CreateEngine): CreateEngine {
  return async (model, layout, options = {}) => {
    const { precision = "float32" } = options;
    if (precision !== "float32") throw float32Only(precision);
    return await create(model, layout, options);
  };
}

/** Its library is looked for when an engine is made: whoever uses another one needs none. */
function native(name: NativeEngineName): CreateEngine {
  return async (model, layout, options) => {
    const surroundings = { environment: readEnvironment(), projectDirectory: process.cwd() };
    return await tensorflowEngine(await requireUsableEngine(name, surroundings))(model, layout, options);
  };
}
