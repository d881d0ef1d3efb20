import { z } from "zod";

/** What a process that loaded a library of MPI tells: its last line on stdout, as JSON. */
export const MpiCheckSchema = z.strictObject({
  /** As it was asked for. */
  file: z.string(),
  /** Where the dynamic loader found it; null: the system doesn't tell. */
  path: z.string().nullable(),
  /** Whose headers (ABI) it follows: MPICH's are those of Intel MPI and MVAPICH too. */
  family: z.enum(["Open MPI", "MPICH"]),
  /** As the library itself tells it. */
  version: z.string(),
});
export type MpiCheck = z.infer<typeof MpiCheckSchema>;

/** The hidden command of that process. */
export const MPI_CHECK_COMMAND = "mpi-check";
