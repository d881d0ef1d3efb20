import type { EngineName } from "./engine-name.js";
import type { Precision } from "./step-rules.js";

/** Whether the layers of an engine can multiply in it: wasm has float32 alone. Pure. */
export function hasPrecision(engine: EngineName, precision: Precision): boolean {
  return engine !== "wasm" || precision === "float32";
}
