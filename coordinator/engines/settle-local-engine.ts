import type { EngineName, EngineWish } from "../../shared/engine-name.js";
import type { EngineCheck } from "../../shared/engine-store/engine-check.js";
import type { EngineLocation, EngineSurroundings } from "../../shared/engine-store/locate-engine.js";
import { bestEngine, requireUsableEngine } from "../../shared/engine-store/usable-engine.js";
import { engineUnavailable } from "./engine-failure.js";
import { engineRecipe } from "./engine-recipe.js";
import { checkPlatform, type Platform } from "./platform-check.js";

/** The engine that workers of this machine compute with. */
export interface LocalEngine {
  readonly engine: EngineName;
  /** Why it is this one, for people. */
  readonly reason: string;
}

export interface LocalEngineSurroundings extends EngineSurroundings {
  readonly platform: Platform;
  /** Loads an engine in a process of its own, so that a broken one ends no other. */
  readonly check: (engine: EngineName, location: EngineLocation) => Promise<EngineCheck>;
}

/**
 * The engine that was asked for, proved to be here before a worker starts; with `auto` the fastest that is here.
 * Engines of the store are known by their checksums; others, and GPUs, are tried.
 * @throws RingstrasseError ENGINE_UNAVAILABLE with the command that installs or repairs it
 */
export async function settleLocalEngine(
  wish: EngineWish,
  threads: number,
  around: LocalEngineSurroundings,
): Promise<LocalEngine> {
  const chosen = wish === "auto" ? await bestEngine(threads, around) : { engine: wish, reason: "it was asked for" };
  if (chosen.engine === "wasm") return chosen;
  const location = await requireUsableEngine(chosen.engine, around);
  // What an administrator installed for everybody may be too new for this host.
  if (location.origin === "store") checkPlatform(engineRecipe(chosen.engine), around.platform);
  if (location.origin === "store" && location.device === "cpu") return chosen;
  const { device } = await around.check(chosen.engine, location);
  if (location.device === "cpu" || device === "gpu") return chosen;
  const problem = "the library finds no GPU that it can use";
  const remedy = "Check the driver with nvidia-smi, and CUDA_VISIBLE_DEVICES; or use --engine tensorflow";
  throw engineUnavailable({ engine: chosen.engine, problem, remedy });
}
