import type { MpiBinding } from "../../shared/collective-choice.js";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import type { RankLauncher } from "../../shared/launch/launched-place.js";
import { withOpenMpiDefaults } from "../config/open-mpi-environment.js";
import { chooseLibrary } from "./choose-library.js";
import type { Mpi } from "./mpi.js";
import type { MpiAccess } from "./mpi-access.js";
import { mpiUnavailable } from "./mpi-failure.js";
import { beginMpi, describeMpi } from "./mpi-library.js";
import { buildSidecar } from "./sidecar/build-sidecar.js";
import { beginSidecar } from "./sidecar/sidecar-process.js";

/** What the user has said about MPI. */
export interface MpiWish {
  readonly binding: MpiBinding;
  /** Null: the one that goes with the launcher. */
  readonly library: string | null;
  /** Likewise. */
  readonly compiler: string | null;
}

export interface BoundMpi {
  readonly mpi: Mpi;
  /** For the other threads of this process. */
  readonly access: MpiAccess;
  /** What MPI is called through, for messages. */
  readonly by: string;
}

export interface MpiSurroundings {
  readonly launcher: RankLauncher;
  /** As the launcher has given it to this process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told, in one line, when the sidecar stands in for a library. */
  readonly announce: (line: string) => void;
}

/**
 * Begins MPI for this process, in it or beside it. Once in its life, in the main thread, which will end it too.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE
 */
export async function bindMpi(wish: MpiWish, around: MpiSurroundings): Promise<BoundMpi> {
  // Before UCX is told how to live in this process, which is no affair of the sidecar's.
  const environment = withOpenMpiDefaults({ ...around.environment });
  const beginBeside = async (): Promise<BoundMpi> => {
    const program = await buildSidecar({ launcher: around.launcher, compiler: wish.compiler, environment });
    const { mpi, place } = await beginSidecar(program, environment);
    return { mpi, access: { kind: "sidecar", place }, by: `the MPI sidecar ${program}` };
  };
  if (wish.binding === "sidecar") return await beginBeside();
  const file = chooseLibrary(around.launcher, wish.library);
  const problem = wish.binding === "auto" ? problemOf(file) : null;
  if (problem === null) return { mpi: beginMpi(file), access: { kind: "library", file }, by: file };
  around.announce(`${problem}: this host's ranks call MPI by a sidecar (--mpi-binding)`);
  try {
    return await beginBeside();
  } catch (cause) {
    const failure = toFailure(cause);
    if (failure.code !== "COLLECTIVE_UNAVAILABLE") throw cause;
    throw mpiUnavailable(`${problem}; ${failure.problem}`, failure.remedy, cause);
  }
}

/** Why a library of MPI can't be used from within this process, without final period; null: it can. Nothing has begun afterwards. */
function problemOf(file: string): string | null {
  try {
    describeMpi(file);
    return null;
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (thrown instanceof RingstrasseError && failure.code === "COLLECTIVE_UNAVAILABLE") return failure.problem;
    throw thrown;
  }
}
