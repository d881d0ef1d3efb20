import type { MpiAbi } from "./mpi-abi.js";

/** There in every Open MPI since 1.x, and in no other implementation. */
export const OPEN_MPI_SYMBOL = "ompi_mpi_comm_world";

/** Open MPI 3 to 5 (`mpi.h`): objects are addresses of the library's own variables. @param address of a symbol of the library */
export function openMpiAbi(address: (symbol: string) => bigint): MpiAbi {
  return {
    name: "Open MPI",
    handleType: "void *",
    world: address(OPEN_MPI_SYMBOL),
    byte: address("ompi_mpi_byte"),
    float32: address("ompi_mpi_float"),
    float64: address("ompi_mpi_double"),
    sum: address("ompi_mpi_op_sum"),
    errorsReturn: address("ompi_mpi_errors_return"),
    statusIgnore: 0n,
  };
}
