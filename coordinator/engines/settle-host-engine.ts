import type { EngineSurroundings } from "../../shared/engine-store/locate-engine.js";
import { checkEngine } from "./check-engine.js";
import { currentPlatform } from "./platform-check.js";
import { type LocalEngine, type LocalEngineNeed, settleLocalEngine } from "./settle-local-engine.js";

/** Enough to know that an engine works. */
const TRIAL_SECONDS = 0.05;

export interface HostSurroundings extends EngineSurroundings {
  /** The compiled `ringstrasse` command, which tries engines in a process of its own. */
  readonly entry: string;
  readonly signal: AbortSignal;
}

/** {@link settleLocalEngine} on this very machine. @throws RingstrasseError ENGINE_UNAVAILABLE, CHOICE_UNSUPPORTED; the signal's reason */
export function settleHostEngine(
  need: LocalEngineNeed,
  { entry, environment, projectDirectory, signal }: HostSurroundings,
): Promise<LocalEngine> {
  return settleLocalEngine(need, {
    environment,
    projectDirectory,
    platform: currentPlatform(),
    check: (engine, location) =>
      checkEngine(engine, location, { entry, environment, threads: need.threads, seconds: TRIAL_SECONDS, signal }),
  });
}
