import { RingstrasseError } from "../failure.js";
import { isSystemError } from "../write-failure.js";

/** What to do about a model whose files are damaged. */
export const RETRAIN =
  "Write the model again with `ringstrasse train`, or take an undamaged copy of its whole directory";

/** A `MODEL_INVALID` failure, ready to be thrown. */
export function modelInvalid(file: string, problem: string, remedy: string, cause?: unknown): RingstrasseError {
  const options = cause === undefined ? undefined : { cause };
  return new RingstrasseError({ code: "MODEL_INVALID", file, problem, remedy }, options);
}

/** Turns a failed read into `MODEL_INVALID`; anything that is no error of the operating system is given back as it is. */
export function modelUnreadable(file: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  return modelInvalid(file, `it can't be read (${cause.code})`, "Check the path and its permissions", cause);
}
