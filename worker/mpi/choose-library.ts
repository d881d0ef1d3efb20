import type { RankLauncher } from "../../shared/launch/launched-place.js";
import { mpiUnavailable } from "./mpi-failure.js";

/** By the libraries' version numbers, which the runtime packages bring; plain `libmpi.so` comes with compilers' packages only. */
const OPEN_MPI = "libmpi.so.40";
const MPICH = "libmpich.so.12";

/**
 * File name of the library that speaks with whoever launched this process; the dynamic loader finds it. Pure.
 * @param wish the user's, null: none
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE for a launcher without MPI
 */
export function chooseLibrary(launcher: RankLauncher, wish: string | null): string {
  if (wish !== null) return wish;
  switch (launcher) {
    case "openmpi":
    case "pmix":
      return OPEN_MPI;
    case "pmi":
      return MPICH;
    case "slurm":
    case "torchrun": {
      const name = launcher === "slurm" ? "srun" : "torchrun";
      const problem = `${name} started these ranks without MPI, by which they would find each other`;
      const remedy =
        launcher === "slurm"
          ? "Use srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH), or mpirun inside the batch job; --launcher local trains without ranks"
          : "Use mpirun -np N ringstrasse train …; --launcher local trains without ranks";
      throw mpiUnavailable(problem, remedy);
    }
  }
}
