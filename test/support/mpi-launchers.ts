import { spawnSync } from "node:child_process";
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
  /** What ranks say and exit with once it ends itself and them, told by a signal or by a rank's death: one of both surely gets through. */
  readonly atItsEnd: "output" | "exit code";
  readonly isInstalled: boolean;
  /** Its C compiler; Debian brings the headers in a package of their own. */
  readonly compiler: string;
  readonly compilerPackage: string;
  /** Whether something can be compiled for it. */
  readonly compiles: boolean;
}

/** Both are known by names of their own wherever both may be installed; `.ci/run` brings them. */
export const MPI_LAUNCHERS: readonly MpiLauncher[] = [
  launcher({
    name: "Open MPI (openmpi-bin)",
    command: "mpirun.openmpi",
    library: "libmpi.so.40",
    options: ["--allow-run-as-root", "--oversubscribe"],
    atItsEnd: "exit code",
    compiler: "mpicc.openmpi",
    compilerPackage: "libopenmpi-dev",
  }),
  launcher({
    name: "MPICH (mpich)",
    command: "mpirun.mpich",
    library: "libmpich.so.12",
    options: [],
    atItsEnd: "output",
    compiler: "mpicc.mpich",
    compilerPackage: "libmpich-dev",
  }),
];

function launcher(known: Omit<MpiLauncher, "isInstalled" | "compiles">): MpiLauncher {
  const { status } = spawnSync(known.compiler, ["-E", "-include", "mpi.h", "-x", "c", "/dev/null"], {
    stdio: "ignore",
  });
  return { ...known, isInstalled: isOnPath(known.command), compiles: status === 0 };
}
