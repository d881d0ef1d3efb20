import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { RankLauncher } from "../../../shared/launch/launched-place.js";
import { mpiUnavailable } from "../mpi-failure.js";

/** Where several MPIs are installed each has a name of its own; alone it is plain `mpicc`. */
const PLAIN = "mpicc";
const OWN_NAMES: Partial<Record<RankLauncher, string>> = {
  openmpi: "mpicc.openmpi",
  pmix: "mpicc.openmpi",
  pmi: "mpicc.mpich",
};
const INSTALL =
  "Install the compiler of the MPI whose mpirun was used (Debian: libopenmpi-dev or libmpich-dev; clusters: module load), or name it by --mpi-compiler";

/**
 * The C compiler of the MPI that launched this process: a whole path.
 * @param wish the user's, null: none
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE when it is not there
 */
export async function findMpiCompiler(
  launcher: RankLauncher,
  wish: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const names = wish === null ? [OWN_NAMES[launcher] ?? PLAIN, PLAIN] : [wish];
  for (const name of names) {
    const path = await findProgram(name, environment["PATH"] ?? "");
    if (path !== null) return path;
  }
  const problem =
    wish === null
      ? `the MPI sidecar has to be compiled, and there is no compiler for it (looked for ${[...new Set(names)].join(", ")})`
      : `--mpi-compiler names ${wish}, which is not there`;
  throw mpiUnavailable(problem, INSTALL);
}

async function findProgram(name: string, path: string): Promise<string | null> {
  const candidates = name.includes("/") ? [name] : path.split(delimiter).map((directory) => join(directory, name));
  for (const candidate of candidates) {
    const isUsable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isUsable) return candidate;
  }
  return null;
}
