import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { EvaluationSchema } from "../../../shared/api/evaluation.js";
import { RingstrasseError } from "../../../shared/failure.js";
import { documentBytes, documentFormat } from "../bodies/document-body.js";
import { readBody } from "../bodies/read-body.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { HttpRefusal } from "../http-refusal.js";
import { refusals } from "../openapi/answers.js";
import { JobPathSchema, toJobId } from "../routes/parameters.js";

/** At once: each is a process that fills a core, beside the workers. */
const MOST_EVALUATIONS = 2;
/** When a client that was refused may try again. */
const RETRY_AFTER_S = 5;
const MAX_BODY_BYTES = 65_536;

const RowsSchema = z.strictObject({
  fileId: z
    .string()
    .optional()
    .describe(
      "A stored file of rows with their labels, in any format that jobs train on. Absent: the job's own test rows",
    ),
  labelsFileId: z.string().optional().describe("The labels of images; absent: found by MNIST's naming"),
});
type Rows = z.output<typeof RowsSchema>;

const ROWS_BODY = {
  "application/json": { schema: z.toJSONSchema(RowsSchema, { target: "openapi-3.0" }) },
} as const;

/** `POST /vinnsl/{id}/evaluate`: the answer comes when the model has been judged; a client that goes ends it, and so does the server's end. */
export function registerEvaluateRoute(
  app: HttpApp,
  { service, closing, limits }: Pick<HttpServices, "service" | "closing" | "limits">,
  { most = MOST_EVALUATIONS }: { readonly most?: number } = {},
): void {
  let running = 0;
  const schema = {
    summary: "How good the trained model is at rows whose labels are known",
    params: JobPathSchema,
    querystring: RowsSchema,
    response: {
      200: EvaluationSchema.describe("Loss, accuracy or error, confusion matrix"),
      ...refusals(404, 408, 409, 413, 415),
    },
  };
  void app.register((scope: HttpApp, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request: unknown, payload: IncomingMessage) =>
      readBody(payload, { ...limits, bodyBytes: MAX_BODY_BYTES }),
    );
    scope.post("/vinnsl/:id/evaluate", { schema, config: { requestBody: ROWS_BODY } }, async (request, reply) => {
      const id = toJobId(request.params.id);
      const rows = rowsOf(request.query, request);
      if (running >= most) throw tooMany(most);
      running += 1;
      using needed = whileNeeded(reply.raw, closing);
      try {
        return await service.evaluate(id, rows, needed.signal);
      } finally {
        running -= 1;
      }
    });
    done();
  });
}

/** What query and body say together. @throws HttpRefusal 400, 415 */
function rowsOf(query: Rows, request: FastifyRequest): { readonly fileId?: string; readonly labelsFileId?: string } {
  const body = bodyOf(request);
  const named = (name: keyof Rows) => {
    const [first, second] = [query[name], body[name]];
    if (first === undefined || second === undefined || first === second) return first ?? second;
    throw badRequest(`${name} is ${shown(first)} in the query and ${shown(second)} in the body`, "Give it once");
  };
  const [fileId, labelsFileId] = [named("fileId"), named("labelsFileId")];
  return { ...(fileId === undefined ? {} : { fileId }), ...(labelsFileId === undefined ? {} : { labelsFileId }) };
}

function bodyOf(request: FastifyRequest): Rows {
  const bytes = documentBytes(request);
  if (bytes.byteLength === 0) return {};
  if (documentFormat(request.headers["content-type"]) !== "json") {
    const problem = "the body is no JSON by its content type";
    const remedy = "Send application/json, or name the files in the query";
    throw new HttpRefusal({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE", problem, remedy });
  }
  const parsed = RowsSchema.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? "the body" : `the body's ${issue.path.join(".")}`;
  throw badRequest(
    `${place} is not as it must be: ${issue?.message ?? "unknown"}`,
    'Send {"fileId": …, "labelsFileId": …}',
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badRequest("the body is not JSON in UTF-8", 'Send {"fileId": …, "labelsFileId": …}', cause);
  }
}

/** Aborts when nobody waits for the answer any more. */
function whileNeeded(response: ServerResponse, closing: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const end = new AbortController();
  const onClosing = (): void =>
    end.abort(new RingstrasseError({ code: "INTERRUPTED", signal: "the end of the server" }));
  const onGone = (): void => end.abort(badRequest("the client has gone before the answer was there", "Ask again"));
  closing.addEventListener("abort", onClosing, { once: true });
  response.once("close", onGone);
  if (closing.aborted) onClosing();
  if (response.destroyed) onGone();
  return {
    signal: end.signal,
    [Symbol.dispose]: () => {
      closing.removeEventListener("abort", onClosing);
      response.off("close", onGone);
    },
  };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function badRequest(problem: string, remedy: string, cause?: unknown): HttpRefusal {
  return new HttpRefusal({ status: 400, code: "BAD_REQUEST", problem, remedy }, { cause });
}

function tooMany(most: number): HttpRefusal {
  return new HttpRefusal({
    status: 503,
    code: "TOO_MANY_EVALUATIONS",
    problem: `${most} models are being judged, and there may be no more at once`,
    remedy: "Come back later",
    headers: { "retry-after": String(RETRY_AFTER_S) },
  });
}
