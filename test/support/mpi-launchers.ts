import { isOnPath } from "./is-on-path.js";

/** One of the MPI implementations that the tests know. */
export interface MpiLauncher {
  /** With the Debian packages that bring it: what a skipped test is called after. */
  readonly name: string;
  readonly command: string;
  /** Its library's file name, as the dynamic loader finds it. */
  readonly library: string;
  /** So that it starts any number of ranks, as any user. */
  readonly options: readonly string[];
  readonly isInstalled: boolean;
}

/** Both are known by names of their own wherever both may be installed; `.ci/run` brings them. */
export const MPI_LAUNCHERS: readonly MpiLauncher[] = [
  launcher("Open MPI (openmpi-bin)", "mpirun.openmpi", "libmpi.so.40", ["--allow-run-as-root", "--oversubscribe"]),
  launcher("MPICH (mpich)", "mpirun.mpich", "libmpich.so.12", []),
];

function launcher(name: string, command: string, library: string, options: readonly string[]): MpiLauncher {
  return { name, command, library, options, isInstalled: isOnPath(command) };
}
