import process from "node:process";
import { fileURLToPath } from "node:url";
import { MPI_MODES, type MpiBinding } from "../../shared/collective-choice.js";
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

/** Both modes over each MPI on the search path, by each way to call it, and what is missing. */
export async function findOwnOverMpi(
  path: string,
): Promise<{ readonly found: OwnOverMpi[]; readonly missing: string[] }> {
  const found: OwnOverMpi[] = [];
  const missing: string[] = [];
  for (const { command, compiler, peer, flags } of [
    { command: "mpirun.openmpi", compiler: "mpicc.openmpi", peer: "openmpi-shm", flags: OPEN_MPI },
    { command: "mpirun.mpich", compiler: "mpicc.mpich", peer: "mpich", flags: [] },
  ]) {
    try {
      const launcher = await findCommand(path, command);
      const add = (binding: MpiBinding): void => {
        for (const mode of MPI_MODES) {
          const kind = `${mode === "ordered" ? "mpi" : "mpi-allreduce"}${binding === "sidecar" ? "-sidecar" : ""}`;
          const measure: OwnOverMpi["measure"] = async (ranks, sizes) => {
            const program = [process.execPath, RANK, binding, mode, ...sizes.map(sizeArgument)];
            return await launch(launcher, [...flags, "-np", `${ranks}`, ...program]);
          };
          found.push({ name: `${kind}-${peer.replace("-shm", "")}`, peer, measure });
        }
      };
      add("ffi");
      await findCommand(path, compiler);
      add("sidecar");
    } catch (thrown) {
      missing.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  return { found, missing };
}
