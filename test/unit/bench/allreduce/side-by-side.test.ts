import { describe, expect, it } from "vitest";
import type { Measure } from "../../../../bench/allreduce/measure-systems.js";
import { sideBySide } from "../../../../bench/allreduce/side-by-side.js";

const measure: Measure = () => Promise.resolve([]);
const named = (...names: readonly string[]) => names.map((name) => [name, measure] as const);
const over = (name: string, peer: string) => ({ name, peer, measure });

describe("sideBySide", () => {
  it("puts the baseline among ours, and each of ours over an MPI before that MPI", () => {
    const own = named("shm", "hierarchical", "ring-ipc", "ring-tcp");
    const overMpi = [over("mpi-openmpi", "openmpi-shm"), over("mpi-mpich", "mpich")];
    const order = sideBySide(own, overMpi, named("openmpi-shm", "openmpi-tcp", "mpich", "gloo"));
    expect(order.map(([name]) => name)).toEqual([
      ...["shm", "hierarchical", "gloo", "ring-ipc", "ring-tcp"],
      ...["mpi-openmpi", "openmpi-shm", "openmpi-tcp", "mpi-mpich", "mpich"],
    ]);
  });

  it("leaves nobody out whose other one is missing", () => {
    const order = sideBySide(named("shm"), [over("mpi-mpich", "mpich")], []);
    expect(order.map(([name]) => name)).toEqual(["shm", "mpi-mpich"]);
  });
});
