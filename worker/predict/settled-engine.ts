import process from "node:process";
import type { EngineName, EngineWish } from "../../shared/engine-name.js";
import { bestEngine } from "../../shared/engine-store/usable-engine.js";
import { oneThreadOnly } from "../../shared/one-thread-only.js";
import { readEnvironment } from "../config.js";

/** The engine that a model is to be run with. */
export interface EngineChoice {
  /** Default `wasm`. */
  readonly engine?: EngineWish;
  /** Of a native engine. Default 1. */
  readonly threads?: number;
}

/**
 * What was asked for; with `auto` the fastest that is here, and why.
 * @throws RingstrasseError ENGINE_UNAVAILABLE, CHOICE_UNSUPPORTED: several threads with wasm
 */
export async function settledEngine({
  engine = "wasm",
  threads = 1,
}: EngineChoice): Promise<{ readonly name: EngineName; readonly reason: string | null }> {
  if (engine === "wasm" && threads > 1) throw oneThreadOnly(threads);
  if (engine !== "auto") return { name: engine, reason: null };
  const best = await bestEngine(threads, { environment: readEnvironment(), projectDirectory: process.cwd() });
  return { name: best.engine, reason: best.reason };
}
