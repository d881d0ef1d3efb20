import { RingstrasseError } from "../../shared/failure.js";

/** The collective was asked of a process that nobody started as a rank. */
export function noMpi(): RingstrasseError {
  const remedy = "Start the ranks by: mpirun -np N ringstrasse train DEF.xml --collective mpi";
  return mpiUnavailable("this process is not one of mpirun's ranks", remedy);
}

/** @param problem without final period, as `remedy` */
export function mpiUnavailable(problem: string, remedy: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "COLLECTIVE_UNAVAILABLE", collective: "mpi", problem, remedy }, { cause });
}
