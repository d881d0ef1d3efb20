import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** What the coordinator takes from its surroundings; read once, here and nowhere else. */
export interface CoordinatorEnvironment {
  readonly variables: NodeJS.ProcessEnv;
  /** Where prepared rows are kept unless told otherwise. */
  readonly cacheDirectory: string;
  /** Where a server keeps what it knows unless told otherwise. */
  readonly dataDirectory: string;
}

export function readEnvironment(): CoordinatorEnvironment {
  const variables = process.env;
  const cacheHome = variables["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const dataHome = variables["XDG_DATA_HOME"] || join(homedir(), ".local", "share");
  return {
    variables,
    cacheDirectory: join(cacheHome, "ringstrasse"),
    dataDirectory: join(dataHome, "ringstrasse"),
  };
}
