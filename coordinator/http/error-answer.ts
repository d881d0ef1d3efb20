import type { ErrorResponse } from "../../shared/api/error-response.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { type Failure, type FailureCode, RingstrasseError } from "../../shared/failure.js";
import { HttpRefusal, type RefusalCode } from "./http-refusal.js";

/** An answer whose status is 400 or above. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorResponse;
}

/** The status of each failure that a request can be to blame for, or that may pass; every other one is 500. */
const STATUS_OF_FAILURE: Readonly<Partial<Record<FailureCode, number>>> = {
  USAGE: 400,
  DOCUMENT_INVALID: 400,
  DOCUMENT_UNSUPPORTED: 400,
  INPUT_MISSING: 400,
  DATA_INVALID: 400,
  DATA_MISMATCH: 400,
  MODEL_INVALID: 400,
  CHOICE_UNSUPPORTED: 400,
  // A document asks for workers that this server does not start.
  COLLECTIVE_UNAVAILABLE: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  OUTPUT_UNWRITABLE: 503,
  STORE_UNAVAILABLE: 503,
  ENDPOINT_UNAVAILABLE: 503,
  ENGINE_UNAVAILABLE: 503,
  LAUNCH_FAILED: 503,
  BATCH_REFUSED: 503,
  EVALUATION_TIMEOUT: 503,
  INTERRUPTED: 503,
};

/** Words for the statuses that the HTTP library gives its own errors. */
const CODE_OF_STATUS: Readonly<Record<number, RefusalCode>> = {
  401: "UNAUTHORISED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  406: "NOT_ACCEPTABLE",
  408: "REQUEST_TIMEOUT",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  416: "RANGE_NOT_SATISFIABLE",
  431: "HEADERS_TOO_LARGE",
};

/**
 * The answer to a request that ended with `thrown`. What the server alone is to blame for is not told: the answer names the request by
 * its id, and the log says what happened. Pure.
 */
export function toErrorAnswer(thrown: unknown, requestId: string): ErrorAnswer {
  if (thrown instanceof RingstrasseError) return ofFailure(thrown.failure, requestId);
  if (thrown instanceof HttpRefusal) {
    const { status, code, headers = {} } = thrown.refusal;
    return { status, headers, body: errorBody(code, thrown.message) };
  }
  const status = statusOfLibrary(thrown);
  if (status === null || !(thrown instanceof Error)) return internal("INTERNAL", requestId);
  return { status, headers: {}, body: errorBody(CODE_OF_STATUS[status] ?? "BAD_REQUEST", sentence(thrown.message)) };
}

/** A body as every answer from 400 on has it, without a place in a document. */
export function errorBody(code: string, message: string): ErrorResponse {
  return { error: { code, message, path: null, line: null } };
}

function ofFailure(failure: Failure, requestId: string): ErrorAnswer {
  const status = statusOf(failure);
  if (status === 500) return internal(failure.code, requestId);
  const path = "elementPath" in failure ? failure.elementPath : null;
  const line = "line" in failure ? failure.line : null;
  return { status, headers: {}, body: { error: { code: failure.code, message: describe(failure), path, line } } };
}

function statusOf(failure: Failure): number {
  if (failure.code === "QUOTA_EXCEEDED") return failure.quota === "files" ? 507 : 413;
  return STATUS_OF_FAILURE[failure.code] ?? 500;
}

/** Where this server keeps its data is nobody's business. */
function describe(failure: Failure): string {
  switch (failure.code) {
    case "OUTPUT_UNWRITABLE":
    case "STORE_UNAVAILABLE":
      return `the server's data directory: ${failure.problem}. ${failure.remedy}`;
    default:
      return describeFailure(failure);
  }
}

function internal(code: FailureCode, requestId: string): ErrorAnswer {
  const message = `the server failed at this request. Its log says why, under request ${requestId}`;
  return { status: 500, headers: {}, body: errorBody(code, message) };
}

/** Errors of the HTTP library that are the request's fault bear their status. */
function statusOfLibrary(thrown: unknown): number | null {
  if (typeof thrown !== "object" || thrown === null || !("statusCode" in thrown)) return null;
  const { statusCode } = thrown;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}

function sentence(message: string): string {
  return message.replace(/[.\s]+$/, "");
}
