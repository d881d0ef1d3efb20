import process from "node:process";
import type { EngineWish } from "../../shared/engine-name.js";
import { bestEngine } from "../../shared/engine-store/usable-engine.js";
import { oneThreadOnly } from "../../shared/one-thread-only.js";
import type { EngineFacts } from "../../shared/protocol/control-message.js";
import { readEnvironment } from "../config.js";
import { probeEngine } from "./probe.js";

/**
 * What this process can compute with, each engine proved by a probe: the one that was asked for; with `auto` the fastest that is here,
 * and wasm, which all workers can have in common. At most one native engine: two of them don't go into one process.
 * @param threads of one computation of a native engine; the process can't change it later
 * @throws RingstrasseError ENGINE_UNAVAILABLE with the command that helps, CHOICE_UNSUPPORTED: several threads with wasm
 */
export async function offeredEngines(wish: EngineWish, threads: number): Promise<EngineFacts[]> {
  if (wish === "wasm" && threads > 1) throw oneThreadOnly(threads);
  if (wish !== "auto") return [await probeEngine(wish, threads)];
  const { engine } = await bestEngine(threads, { environment: readEnvironment(), projectDirectory: process.cwd() });
  const wasm = await probeEngine("wasm");
  return engine === "wasm" ? [wasm] : [await probeEngine(engine, threads), wasm];
}
