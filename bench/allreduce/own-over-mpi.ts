import process from "node:process";
import { fileURLToPath } from "node:url";
import { MPI_MODES, type MpiBinding } from "../../shared/collective-choice.js";
import type { SizePlan, Timing } from "./rank-messages.js";
import { findCommand, launch } from "./run-system.js";
import { sizeArgument } from "./size-plan.js";

const RANK = fileURLToPath(new URL("./mpi-rank.js", import.meta.url));
const OPEN_MPI = ["--allow-run-as-root", "--oversubscribe", "--mca", "pml", "ob1", "--mca", "btl", "self,vader"];

/** All that may be here. */
export const OVER_MPI_NAMES = [
  "mpi-openmpi",
  "mpi-allreduce-openmpi",
  "mpi-sidecar-openmpi",
  "mpi-allreduce-sidecar-openmpi",
  "mpi-mpich",
  "mpi-allreduce-mpich",
  "mpi-sidecar-mpich",
  "mpi-allreduce-sidecar-mpich",
] as const;

/** The product's collective over an MPI that is installed. */
export interface OwnOverMpi {
  readonly name: (typeof OVER_MPI_NAMES)[number];
  /** Name of the peer that is the same MPI without us. */
  readonly peer: string;
  /** @throws as `launch` */
  measure(ranks: number, sizes: readonly SizePlan[], limitMs: number): Promise<Timing[]>;
}

/** Both modes over each MPI on the search path, by each way to call it, and what is missing. */
export async function findOwnOverMpi(
  path: string,
): Promise<{ readonly found: OwnOverMpi[]; readonly missing: string[] }> {
  const found: OwnOverMpi[] = [];
  const missing: string[] = [];
  for (const { mpi, peer, flags } of [
    { mpi: "openmpi", peer: "openmpi-shm", flags: OPEN_MPI },
    { mpi: "mpich", peer: "mpich", flags: [] },
  ] as const) {
    try {
      const launcher = await findCommand(path, `mpirun.${mpi}`);
      const add = (binding: MpiBinding): void => {
        for (const mode of MPI_MODES) {
          const kind = mode === "ordered" ? "mpi" : "mpi-allreduce";
          const name = binding === "sidecar" ? (`${kind}-sidecar-${mpi}` as const) : (`${kind}-${mpi}` as const);
          const measure: OwnOverMpi["measure"] = async (ranks, sizes, limitMs) => {
            const program = [process.execPath, RANK, binding, mode, ...sizes.map(sizeArgument)];
            return await launch(launcher, [...flags, "-np", `${ranks}`, ...program], { limitMs });
          };
          found.push({ name, peer, measure });
        }
      };
      add("ffi");
      await findCommand(path, `mpicc.${mpi}`);
      add("sidecar");
    } catch (thrown) {
      missing.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  return { found, missing };
}
