import type { ErrorResponse } from "../../../shared/api/error-response.js";

/** What the server, or the way to it, answered instead of a result. Plain data, so that stores can hold it. */
export interface ApiProblem {
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly path: string | null;
  readonly line: number | null;
}

/** The one error of the API client. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem, options?: ErrorOptions) {
    super(problem.message, options);
    this.problem = problem;
  }

  static of(status: number, { error }: ErrorResponse): ApiError {
    return new ApiError({ status, ...error });
  }
}

/** The problem behind whatever was thrown: an {@link ApiError}'s own, or a defect of this page by its message. */
export function toProblem(thrown: unknown): ApiProblem {
  if (thrown instanceof ApiError) return thrown.problem;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { status: 0, code: "PAGE_DEFECT", message: `this page failed: ${message}. Reload it`, path: null, line: null };
}

/** Whether `thrown` only says that its caller gave up. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}
