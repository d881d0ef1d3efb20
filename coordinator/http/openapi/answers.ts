import { z } from "zod";
import { ErrorResponseSchema } from "../../../shared/api/error-response.js";

/** What refusals mean, for the description of the interface. */
const REFUSALS = {
  400: "The request, or the document in it, is not as it must be",
  401: "No token, or a wrong one",
  403: "The token is for reading only; or a foreign name or page asks a server without tokens",
  404: "There is none of that id or name",
  406: "The client accepts no type that this route answers with",
  408: "The body did not arrive in time",
  409: "The job's status forbids it; the message lists what is allowed",
  413: "The body is too large",
  415: "The body is of a type that this route doesn't take",
  416: "There is no such range in the file",
  431: "The address and headers are longer than 16 KiB",
  500: "The server failed; its log says why",
  503: "The server can't do this at the moment",
  507: "There is no room left for files",
} as const;
export type RefusalStatus = keyof typeof REFUSALS;

/** What every route may answer. */
const ALWAYS = [400, 401, 403, 431, 500, 503] as const;
type AlwaysStatus = (typeof ALWAYS)[number];

/** The refusals of a route, for its `schema.response`: those of every route, and `statuses`. */
export function refusals<const Status extends RefusalStatus = never>(
  ...statuses: readonly Status[]
): Record<Status | AlwaysStatus, typeof ErrorResponseSchema> {
  const all = [...ALWAYS, ...statuses].map((status) => [status, ErrorResponseSchema.describe(REFUSALS[status])]);
  return Object.fromEntries(all);
}

/** An answer without a body. */
export function emptyAnswer(description: string) {
  return z.undefined().describe(description);
}

/** An answer in these types that is sent as bytes: only described, not checked. */
export function rawAnswer(description: string, schemas: Readonly<Record<string, z.ZodType>>) {
  const content = Object.entries(schemas).map(([type, schema]) => [type, { schema }] as const);
  return { description, content: Object.fromEntries(content) };
}
