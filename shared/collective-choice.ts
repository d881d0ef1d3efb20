import { z } from "zod";

const figure = z.number();

export const COLLECTIVES = ["ring", "shm", "hierarchical", "mpi", "parameter-server"] as const;
export const CollectiveNameSchema = z.enum(COLLECTIVES);
/** How the workers of a generation exchange, when there are several. */
export type CollectiveName = z.infer<typeof CollectiveNameSchema>;

export const MPI_MODES = ["ordered", "allreduce"] as const;
/** Of the collective `mpi`: the project's own fold over MPI's messages, or MPI's own all-reduce, whose order is MPI's. */
export type MpiMode = (typeof MPI_MODES)[number];

export const MPI_BINDINGS = ["auto", "ffi", "sidecar"] as const;
/**
 * How a rank calls MPI: its library by FFI in the rank's own process, or by a small program beside it, which `mpicc` compiles. `auto`: by
 * FFI, and by the program where the library can't be loaded or isn't known.
 */
export type MpiBinding = (typeof MPI_BINDINGS)[number];

/** What one collective was measured to do between the workers of a generation, at its start; means over the workers. */
export const CollectiveFiguresSchema = z.object({
  collective: CollectiveNameSchema,
  /** Of an exchange of a few numbers. */
  latencyMs: figure,
  /** Payload bytes per second beyond that; null: the payload is too small to show it. */
  bandwidthBps: figure.nullable(),
  /** Of an exchange of the job's whole payload. */
  expectedMs: figure,
});
export type CollectiveFigures = z.infer<typeof CollectiveFiguresSchema>;

/** A choice by measurement, the same on all workers. */
export const MeasuredChoiceSchema = z.object({
  collective: CollectiveNameSchema,
  /** Of one exchange of the job. */
  payloadBytes: z.number().int().nonnegative(),
  candidates: z.array(CollectiveFiguresSchema).min(2),
});
export type MeasuredChoice = z.infer<typeof MeasuredChoiceSchema>;
