import { RingstrasseError } from "../failure.js";
import { isSystemError } from "../write-failure.js";

/** Where something is wrong in a data file. */
export interface DataPlace {
  /** As the user named it. */
  readonly file: string;
  /** 1-based line of a CSV file or 1-based item of an IDX file. */
  readonly row?: number;
  /** 0-based. */
  readonly column?: number;
}

/** A `DATA_INVALID` failure, ready to be thrown. */
export function dataInvalid(place: DataPlace, problem: string, remedy: string, cause?: unknown): RingstrasseError {
  const { file, row = null, column = null } = place;
  const options = cause === undefined ? undefined : { cause };
  return new RingstrasseError({ code: "DATA_INVALID", file, row, column, problem, remedy }, options);
}

/** An `INPUT_MISSING` failure, ready to be thrown. */
export function inputMissing(file: string, problem: string, remedy: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError(
    { code: "INPUT_MISSING", file, problem, remedy },
    cause === undefined ? undefined : { cause },
  );
}

/** What the operating system's codes mean to the person who named the file. */
const REASONS: Readonly<Record<string, { problem: string; remedy: string }>> = {
  ENOENT: { problem: "there is no such file", remedy: "Check the path; relative paths start at the working directory" },
  ENOTDIR: { problem: "a part of the path is a file, not a folder", remedy: "Check the path" },
  EISDIR: { problem: "it is a folder, not a file", remedy: "Name a file in it" },
  EACCES: { problem: "no permission to read it", remedy: "Change its permissions, or copy it to where you may read" },
  EPERM: { problem: "no permission to read it", remedy: "Change its permissions, or copy it to where you may read" },
  ENAMETOOLONG: { problem: "the path is too long", remedy: "Check the path" },
  ELOOP: { problem: "its symbolic links go round in a circle", remedy: "Name the file itself" },
};

/** Turns a failed read into `INPUT_MISSING`; anything that is no error of the operating system is given back as it is. */
export function readFailure(file: string, cause: unknown): unknown {
  if (cause instanceof RingstrasseError || !isSystemError(cause)) return cause;
  const { problem, remedy } = REASONS[cause.code] ?? {
    problem: `it can't be read (${cause.code}: ${cause.message})`,
    remedy: "Check the disk or the network share it lies on, or copy it elsewhere",
  };
  return inputMissing(file, problem, remedy, cause);
}
