import process from "node:process";

type Environment = Readonly<Record<string, string | undefined>>;

/** From so many ranks on Open MPI takes the ring by itself where it pays. */
const RANKS_THAT_CHOOSE = 4;

/**
 * The environment for a process that calls MPI, so that two or three ranks sum by a ring too; what the user has set stays. For so few
 * Open MPI's non-blocking all-reduce takes a binomial tree, by which one rank adds everything: the ring took 0.4 to 0.65 of its
 * time from a megabyte on, and no more below (Open MPI 4.1).
 *
 * All ranks of a job have to have it, however they call MPI: ranks that sum by different algorithms wait for messages that nobody sends,
 * or add what nobody has sent. Pure.
 */
export function withOpenMpiDefaults(environment: Environment): Environment {
  const ranks = Number(environment["OMPI_COMM_WORLD_SIZE"]);
  if (!(ranks < RANKS_THAT_CHOOSE)) return environment;
  return { OMPI_MCA_coll_libnbc_iallreduce_algorithm: "ring", ...environment };
}

/** Gives this process that environment. Must be called before MPI begins, on the main thread. */
export function prepareOpenMpiEnvironment(): void {
  Object.assign(process.env, withOpenMpiDefaults(process.env));
}
