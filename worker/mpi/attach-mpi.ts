import type { Mpi } from "./mpi.js";
import type { MpiAccess } from "./mpi-access.js";

/**
 * MPI for another thread of a process for which it has begun. Loaded on demand: most runs have nothing to do with MPI.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE
 */
export async function attachMpi(access: MpiAccess): Promise<Mpi> {
  if (access.kind === "library") return (await import("./mpi-library.js")).attachLibrary(access.file);
  return (await import("./sidecar/sidecar-mpi.js")).attachSidecar(access.place);
}
