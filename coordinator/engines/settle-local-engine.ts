import type { EngineName, EngineWish } from "../../shared/engine-name.js";
import { hasPrecision } from "../../shared/engine-precision.js";
import type { EngineCheck } from "../../shared/engine-store/engine-check.js";
import type { EngineLocation, EngineSurroundings } from "../../shared/engine-store/locate-engine.js";
import { bestEngine, requireUsableEngine } from "../../shared/engine-store/usable-engine.js";
import { float32Only } from "../../shared/float32-only.js";
import type { Precision } from "../../shared/step-rules.js";
import { engineUnavailable } from "./engine-failure.js";
import { engineRecipe } from "./engine-recipe.js";
import { checkPlatform, type Platform } from "./platform-check.js";

/** What workers are to compute with. */
export interface LocalEngineNeed {
  readonly engine: EngineWish;
  /** Of one computation. */
  readonly threads: number;
  readonly precision: Precision;
  /** The option that asks for the precision, or the document's element, for messages. Default the option. */
  readonly precisionAskedBy?: string;
}

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
 * @throws RingstrasseError ENGINE_UNAVAILABLE with the command that installs or repairs it; CHOICE_UNSUPPORTED: no engine here has the precision
 */
export async function settleLocalEngine(
  { engine: wish, threads, precision, precisionAskedBy }: LocalEngineNeed,
  around: LocalEngineSurroundings,
): Promise<LocalEngine> {
  const chosen = wish === "auto" ? await bestEngine(threads, around) : { engine: wish, reason: "it was asked for" };
  // wasm, the slowest, comes last: there is nothing else that `auto` could take.
  if (!hasPrecision(chosen.engine, precision)) throw float32Only(precision, precisionAskedBy);
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
