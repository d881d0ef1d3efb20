import { RingstrasseError } from "../../shared/failure.js";

/** No job of that id. */
export function jobNotFound(id: string): RingstrasseError {
  const remedy = "It may have been deleted; the list of jobs says which there are";
  return new RingstrasseError({ code: "NOT_FOUND", what: "job", id, remedy });
}

/** No file of that id or name. */
export function fileNotFound(id: string): RingstrasseError {
  const remedy = "It may have been deleted; the list of files says which there are";
  return new RingstrasseError({ code: "NOT_FOUND", what: "file", id, remedy });
}

/** The document was replaced since it was read. */
export function documentConflict(id: string, expectedVersion: number, version: number): RingstrasseError {
  const problem = `its document is at version ${version}, and the change was made to version ${expectedVersion}`;
  return new RingstrasseError({
    code: "CONFLICT",
    what: "job",
    id,
    problem,
    remedy: "Read it again, and repeat the change",
  });
}

export function storeUnavailable(path: string, problem: string, remedy: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "STORE_UNAVAILABLE", path, problem, remedy }, { cause });
}

export function storeIncompatible(path: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "STORE_INCOMPATIBLE", path, problem, remedy });
}

export function storeDamaged(path: string, problem: string, cause?: unknown): RingstrasseError {
  const remedy = "Restore the data directory from a backup, or begin with an empty one; and check the disk";
  return new RingstrasseError({ code: "STORE_DAMAGED", path, problem, remedy }, { cause });
}

/** After its end a store takes no calls. */
export function storeClosed(path: string): RingstrasseError {
  return storeUnavailable(path, "the store has been closed", "Wait until the server has started again");
}
