import { readFile } from "node:fs/promises";
import type { OptionTable } from "../../shared/cli/option-table.js";
import type { CommandDefinition } from "../../shared/cli/parse-command.js";
import { MPI_CHECK_COMMAND, type MpiCheck } from "../../shared/launch/mpi-check.js";
import { describeMpi } from "./mpi-library.js";

/** Run by `ringstrasse doctor` in a process of its own: a broken library ends only that. Not for people; not in `--help`. */
export const MPI_CHECK = {
  name: MPI_CHECK_COMMAND,
  describe: "Loads a library of MPI, and tells what it is.",
  positionals: [{ name: "FILE", describe: "the library, as the dynamic loader finds it" }],
  options: {},
  examples: [],
} as const satisfies CommandDefinition<OptionTable>;

/** @throws RingstrasseError COLLECTIVE_UNAVAILABLE */
export async function checkMpi(file: string): Promise<MpiCheck> {
  const { family, version } = describeMpi(file);
  // Other systems don't list what a process has loaded.
  const maps = await readFile("/proc/self/maps", "utf8").catch(() => "");
  return { file, path: loadedFrom(file, maps), family, version };
}

/** Where a library was loaded from, by proc_pid_maps(5): the first file of its name, with or without a minor version. Pure. */
export function loadedFrom(file: string, maps: string): string | null {
  const name = file.split("/").at(-1) ?? file;
  const paths = maps.split("\n").flatMap((line) => / (\/\S.*)$/.exec(line)?.[1] ?? []);
  return paths.find((path) => path.split("/").at(-1)?.startsWith(name) === true) ?? null;
}
