import { type WindowLayout, type WindowSizes, windowLayout } from "../../shared/window-layout.js";
import type { Address } from "../kernels/kernels.js";

/** A window's layout in addresses of the worker's own memory: the same distances on all workers. */
export interface WindowPlaces extends WindowLayout {
  /** At which the window begins. */
  readonly address: Address;
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
