import type { RankLauncher } from "../../shared/launch/launched-place.js";

/** By the libraries' version numbers, which the runtime packages bring; plain `libmpi.so` comes with compilers' packages only. */
const OPEN_MPI = "libmpi.so.40";
const MPICH = "libmpich.so.12";

/**
 * File name of the library that speaks with whoever launched this process; the dynamic loader finds it. Pure.
 * @param wish the user's, null: none
 * @throws RangeError for a launcher without MPI
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
    case "torchrun":
    case "kubernetes":
      throw new RangeError(`${launcher} starts ranks without MPI`);
  }
}
