import { ENGINE_DIRECTORY_VARIABLE, type EnvironmentVariables } from "../engine-store/engine-directory.js";

/**
 * The environment for a process of another command: without the options of this one, its config file and its secrets among them, which are
 * not meant for it. Where engines are is no option, and stays. Pure.
 */
export function withoutOptions(environment: EnvironmentVariables): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => name === ENGINE_DIRECTORY_VARIABLE || !name.startsWith("RINGSTRASSE_"),
    ),
  );
}
