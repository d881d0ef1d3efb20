import process from "node:process";

/** From so many ranks on Open MPI takes the ring by itself where it pays. */
const RANKS_THAT_CHOOSE = 4;

/**
 * Lets two or three ranks sum by a ring too. Must be called before the library is loaded, on the main thread; what the user has set stays.
 * For so few Open MPI's non-blocking all-reduce takes a binomial tree, by which one rank adds everything: the ring took 0.4 to 0.65 of its
 * time from a megabyte on, and no more below (Open MPI 4.1).
 */
export function prepareOpenMpiEnvironment(): void {
  const { env } = process;
  const ranks = Number(env["OMPI_COMM_WORLD_SIZE"]);
  if (ranks < RANKS_THAT_CHOOSE) env["OMPI_MCA_coll_libnbc_iallreduce_algorithm"] ??= "ring";
}
