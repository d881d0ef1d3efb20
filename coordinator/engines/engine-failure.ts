import { RingstrasseError } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";

/** An engine that can't be had, with what to do about it. `problem` and `remedy` without their final periods. */
export interface EngineProblem {
  readonly engine: string;
  readonly problem: string;
  readonly remedy: string;
}

/** An ENGINE_UNAVAILABLE failure as an error. */
export function engineUnavailable({ engine, problem, remedy }: EngineProblem, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine, problem, remedy }, { cause });
}

const WRITE_REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "Free some space, or set RINGSTRASSE_ENGINE_DIR to a directory on another device, and run the command again",
  EDQUOT: "Free some of the quota, or set RINGSTRASSE_ENGINE_DIR to another place, and run the command again",
};

/**
 * What became of a write into the engine directory; anything that is no error of the operating system is given back as
 * it is.
 */
export function storeFailure(engine: string, path: string, thrown: unknown): unknown {
  if (thrown instanceof RingstrasseError || !isSystemError(thrown)) return thrown;
  const problem = `${path} can't be written (${thrown.code}: ${thrown.message})`;
  const remedy = WRITE_REMEDIES[thrown.code] ?? "Set RINGSTRASSE_ENGINE_DIR to a directory that you may write to";
  return engineUnavailable({ engine, problem, remedy }, thrown);
}
