import { resolve } from "node:path";
import { PASSED_OPTIONS, type SubmitOptions } from "../cli/submit-options.js";

/** Options whose values are paths: in the job the working directory may be another one. */
const PATHS: ReadonlySet<string> = new Set(["data", "labels", "test-data", "test-labels", "data-dir", "out"]);

/**
 * What was given to `submit`, by flags, environment or config file, as arguments of `train` in the job. Pure.
 * @param directory that relative paths are meant from
 */
export function trainArguments(options: SubmitOptions, directory: string): string[] {
  const given: Readonly<Record<string, unknown>> = options;
  return Object.keys(PASSED_OPTIONS).flatMap((name) => {
    const value = given[name];
    if (value === undefined) return [];
    if (value === true) return [`--${name}`];
    // A switch that is off is said too: whoever hands the script in again by hand may have it on in the environment.
    const values = Array.isArray(value) ? value.map(String) : [String(value)];
    return values.map((text) => `--${name}=${PATHS.has(name) ? resolve(directory, text) : text}`);
  });
}
