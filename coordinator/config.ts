import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** What the coordinator takes from its surroundings; read once, here and nowhere else. */
export interface CoordinatorEnvironment {
  readonly variables: NodeJS.ProcessEnv;
  /** Where prepared rows are kept unless told otherwise. */
  readonly cacheDirectory: string;
}

export function readEnvironment(): CoordinatorEnvironment {
  const variables = process.env;
  const cacheHome = variables["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return { variables, cacheDirectory: join(cacheHome, "ringstrasse") };
}
