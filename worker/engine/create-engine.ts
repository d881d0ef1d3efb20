import type { ArenaLayout } from "../../shared/arena-layout.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { ModelSpec } from "../../shared/model-spec.js";
import type { CreateEngine, Engine } from "./engine.js";
import { WasmEngine } from "./wasm/wasm-engine.js";

const ENGINES: ReadonlyMap<string, CreateEngine> = new Map([["wasm", WasmEngine.create]]);

/**
 * The engine of that name; never another in its place.
 * @throws RingstrasseError CHOICE_UNSUPPORTED for a name that this version doesn't have; whatever the engine throws.
 */
export async function createEngine(name: string, model: ModelSpec, layout: ArenaLayout): Promise<Engine> {
  const create = ENGINES.get(name);
  if (create !== undefined) return await create(model, layout);
  throw new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option: "engine",
    value: name,
    supported: [...ENGINES.keys()],
    remedy: "Use --engine wasm",
  });
}
