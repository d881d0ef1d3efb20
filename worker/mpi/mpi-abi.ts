/** An object of MPI as C sees it: an address in some implementations, a number in others. */
export type MpiHandle = bigint | number;

/** What the C header of one MPI implementation says, and the library alone does not. */
export interface MpiAbi {
  readonly name: "Open MPI" | "MPICH";
  /** C type of communicators, data types, operations and requests. */
  readonly handleType: "void *" | "int";
  readonly world: MpiHandle;
  readonly byte: MpiHandle;
  readonly float32: MpiHandle;
  readonly float64: MpiHandle;
  readonly sum: MpiHandle;
  /** Makes calls return their errors instead of ending all ranks. */
  readonly errorsReturn: MpiHandle;
  /** `MPI_STATUS_IGNORE` */
  readonly statusIgnore: bigint;
}
