import process from "node:process";
import { fileURLToPath } from "node:url";
import type { MpiMode } from "../../shared/collective-choice.js";
import type { SizePlan, Timing } from "./rank-messages.js";
import { findCommand, launch } from "./run-system.js";
import { sizeArgument } from "./size-plan.js";

const RANK = fileURLToPath(new URL("./mpi-rank.js", import.meta.url));
const OPEN_MPI = ["--allow-run-as-root", "--oversubscribe", "--mca", "pml", "ob1", "--mca", "btl", "self,vader"];

/** The product's collective over an MPI that is installed. */
export interface OwnOverMpi {
  readonly name: string;
  /** Name of the peer that is the same MPI without us. */
  readonly peer: string;
  measure(ranks: number, sizes: readonly SizePlan[]): Promise<Timing[]>;
}

/** Both modes over each MPI on the search path, and what is missing. */
export async function findOwnOverMpi(
  path: string,
): Promise<{ readonly found: OwnOverMpi[]; readonly missing: string[] }> {
  const found: OwnOverMpi[] = [];
  const missing: string[] = [];
  for (const { command, library, peer, flags } of [
    { command: "mpirun.openmpi", library: "libmpi.so.40", peer: "openmpi-shm", flags: OPEN_MPI },
    { command: "mpirun.mpich", library: "libmpich.so.12", peer: "mpich", flags: [] },
  ]) {
    try {
      const launcher = await findCommand(path, command);
      const modes: readonly MpiMode[] = ["ordered", "allreduce"];
      for (const mode of modes) {
        const name = `${mode === "ordered" ? "mpi" : "mpi-allreduce"}-${peer.replace("-shm", "")}`;
        const measure: OwnOverMpi["measure"] = async (ranks, sizes) => {
          const program = [process.execPath, RANK, library, mode, ...sizes.map(sizeArgument)];
          return await launch(launcher, [...flags, "-np", `${ranks}`, ...program]);
        };
        found.push({ name, peer, measure });
      }
    } catch (thrown) {
      missing.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  return { found, missing };
}
