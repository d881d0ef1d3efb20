import { readFile, realpath } from "node:fs/promises";
import { RingstrasseError } from "../../shared/failure.js";
import { fileSystemKind, isSharedFileSystem } from "../store/file-system-kind.js";

/** Refuses a path that can't stand in lines that Slurm reads, not the shell. @throws RingstrasseError USAGE */
export function refuseUnfitPath(option: string, path: string): void {
  if (!/[\s%\\]/.test(path)) return;
  const problem = `Slurm can't take the path "${path}"`;
  throw new RingstrasseError({ code: "USAGE", option, problem, remedy: "Choose one without blanks, % and \\" });
}

/** A batch job itself finds out whether paths are shared; this is a word before the wait. The paths are there. @returns remarks */
export async function unsharedPlaces(paths: readonly string[]): Promise<string[]> {
  const mounts = await readFile("/proc/mounts", "utf8");
  const real = await Promise.all(paths.map((path) => realpath(path)));
  const local = real.flatMap((path) => {
    const kind = fileSystemKind(path, mounts);
    return kind === null || isSharedFileSystem(kind) ? [] : [`${path} (${kind})`];
  });
  if (local.length === 0) return [];
  return [
    `these seem to be on this host alone; the job ends with exit code 4 if a node lacks them: ${local.join(", ")}`,
  ];
}
