import { RingstrasseError } from "../../shared/failure.js";

/** For judging one model, its rows included. Shorter than the silence after which servers and proxies cut a connection off. */
export const EVALUATION_LIMIT_MS = 100_000;

export function evaluationTimeout(limitMs: number): RingstrasseError {
  const remedy =
    "Give fewer rows, or judge the model by `ringstrasse predict MODEL --evaluate`, which may take its time";
  const problem = `judging the model took longer than ${limitMs} ms`;
  return new RingstrasseError({ code: "EVALUATION_TIMEOUT", limitMs, problem, remedy });
}
