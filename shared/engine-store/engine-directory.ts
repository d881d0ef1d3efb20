import { join } from "node:path";
import process from "node:process";
import { cacheDirectory } from "../cache-directory.js";
import type { EngineRelease } from "./engine-release.js";

/** A process's environment variables. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** Names the directory of native engines; of the machine, not an option of a command. */
export const ENGINE_DIRECTORY_VARIABLE = "RINGSTRASSE_ENGINE_DIR";

/**
 * Where native engines are installed: `RINGSTRASSE_ENGINE_DIR`, else `ringstrasse/engines` in the user's cache directory. It is outside
 * every node_modules: `npm ci` wipes those.
 */
export function enginesDirectory(environment: EnvironmentVariables): string {
  const chosen = environment[ENGINE_DIRECTORY_VARIABLE];
  if (chosen !== undefined && chosen !== "") return chosen;
  return join(cacheDirectory(environment), "engines");
}

/** e.g. `linux-x64` */
export function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

/**
 * One engine's own directory: a name for each version and platform, so that several live side by side, also on a
 * shared home.
 */
export function engineDirectory(root: string, release: EngineRelease): string {
  return join(root, `${release.name}-${release.version}-${platformName()}`);
}
