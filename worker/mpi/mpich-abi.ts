import type { MpiAbi } from "./mpi-abi.js";

/** The common ABI of MPICH 3.1 and later, Intel MPI, MVAPICH2 and Cray MPICH (`mpi.h`): objects are numbers. */
export const MPICH_ABI: MpiAbi = {
  name: "MPICH",
  handleType: "int",
  world: 0x44000000,
  byte: 0x4c00010d,
  float32: 0x4c00040a,
  float64: 0x4c00080b,
  sum: 0x58000003,
  errorsReturn: 0x54000001,
  statusIgnore: 1n,
};
