import { type WindowSizes, windowLayout } from "../../shared/window-layout.js";
import type { Address } from "../kernels/kernels.js";

/** Where everything lies in the window. Addresses of the worker's own memory: the same distances on all workers. */
export interface WindowPlaces {
  readonly address: Address;
  /** By rank. */
  readonly board: readonly Address[];
  /** By replica, of the whole job. */
  readonly gradients: readonly Address[];
  readonly scalars: readonly Address[];
  readonly sums: readonly [Address, Address];
  readonly scalarSums: readonly [Address, Address];
  /** As far as the last place reaches. */
  readonly sizeBytes: number;
}

/** The window's layout, where a worker has it. Pure. @param address at which it begins */
export function windowPlaces(sizes: WindowSizes, address: Address): WindowPlaces {
  const { board, gradients, scalars, sums, scalarSums, sizeBytes } = windowLayout(sizes);
  const at = (offset: number): Address => address + offset;
  return {
    address,
    board: board.map(at),
    gradients: gradients.map(at),
    scalars: scalars.map(at),
    sums: [at(sums[0]), at(sums[1])],
    scalarSums: [at(scalarSums[0]), at(scalarSums[1])],
    sizeBytes,
  };
}
