import process from "node:process";
import { withoutOptions } from "../../shared/cli/without-options.js";
import { MPI_CHECK_COMMAND, MpiCheckSchema } from "../../shared/launch/mpi-check.js";
import { commandOutput } from "./command-output.js";
import type { MachineCheck } from "./finding.js";
import { judgeMpi, type MpiLibraryFacts, readLauncher } from "./judge-mpi.js";

/** As `train` looks for them under `mpirun`. */
const LIBRARIES = ["libmpi.so.40", "libmpich.so.12"];
/** As `train` takes it from the user, e.g. for Intel MPI. */
const OWN_LIBRARY = "RINGSTRASSE_MPI_LIBRARY";

/** Which MPI is here. Each library is loaded in a process of its own: two in one would get into each other's way. */
export function mpiCheck(entry: string, environment: NodeJS.ProcessEnv): MachineCheck {
  return async () => {
    const output = await commandOutput("mpirun", ["--version"], environment);
    const launcher = output === null ? null : readLauncher("mpirun", output.stdout || output.stderr);
    const libraries: MpiLibraryFacts[] = [];
    const own = environment[OWN_LIBRARY] ?? "";
    for (const file of new Set(own === "" ? LIBRARIES : [own, ...LIBRARIES]))
      libraries.push(await load(file, entry, environment));
    return judgeMpi({ launcher, libraries });
  };
}

async function load(file: string, entry: string, environment: NodeJS.ProcessEnv): Promise<MpiLibraryFacts> {
  const output = await commandOutput(process.execPath, [entry, MPI_CHECK_COMMAND, file], withoutOptions(environment));
  const last = output?.stdout.trimEnd().split("\n").at(-1) ?? "";
  if (output?.isGood === true) return MpiCheckSchema.parse(JSON.parse(last));
  const words = output?.stderr.trim().split("\n")[0] ?? "";
  return { file, problem: words.replace(/^ringstrasse: /, "") || "the process that loaded it was killed" };
}
