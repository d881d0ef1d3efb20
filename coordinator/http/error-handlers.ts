import type { Socket } from "node:net";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { type ErrorAnswer, errorBody, toErrorAnswer } from "./error-answer.js";
import type { HttpApp } from "./http-app.js";
import { HttpRefusal, type Refusal } from "./http-refusal.js";
import { lingeringAnswer } from "./lingering-answer.js";
import { SECURITY_HEADERS } from "./security-headers.js";

/** Answers whatever hooks and handlers throw, as JSON whatever the client would like; a fault of the server is logged. */
export function answerErrors(app: HttpApp): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const answer = toErrorAnswer(known(error), request.id);
    if (answer.status >= 500)
      request.log.error({ err: error, method: request.method, url: request.url }, "request failed");
    return send(request, reply, answer);
  });
  app.addHook("onResponse", (request, reply, done) => {
    const { method, url } = request;
    request.log.debug({ method, url, status: reply.statusCode, tookMs: Math.round(reply.elapsedTime) }, "answered");
    done();
  });
}

/** Requests that are refused before any route is found, e.g. for broken percent-encoding or a name too long: hooks don't see them. */
export function frameworkErrorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers(SECURITY_HEADERS);
  const refusal: Refusal = {
    status: 400,
    code: "BAD_REQUEST",
    problem: "the address of the request is malformed",
    remedy: "Percent-encode it as UTF-8",
  };
  const tooLong: Refusal = {
    status: 404,
    code: "NOT_FOUND",
    problem: "a part of the request's path is longer than any id or name",
    remedy: "See /docs for what there is",
  };
  const known = error.code === "FST_ERR_BAD_URL" ? refusal : error.code === "FST_ERR_MAX_PARAM_LENGTH" ? tooLong : null;
  void send(
    request,
    reply,
    toErrorAnswer(known === null ? error : new HttpRefusal(known, { cause: error }), request.id),
  );
}

/** What is no HTTP request at all, or did not arrive in time: answered on the bare connection, which then ends. */
export function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, body] = connectionAnswer(error.code);
  const text = JSON.stringify(body);
  const headers = Object.entries({
    ...SECURITY_HEADERS,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(text)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join("\r\n")}\r\n\r\n${text}`);
}

function connectionAnswer(code: string | undefined): [status: string, body: ReturnType<typeof errorBody>] {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [
        "408 Request Timeout",
        errorBody("REQUEST_TIMEOUT", "the request took too long to arrive. Send it again"),
      ];
    case "HPE_HEADER_OVERFLOW": {
      const message = "the request's headers are too long. Send at most 16 KiB of them";
      return ["431 Request Header Fields Too Large", errorBody("HEADERS_TOO_LARGE", message)];
    }
    default:
      return ["400 Bad Request", errorBody("BAD_REQUEST", "this is no valid HTTP request. Check the client")];
  }
}

/** The library's own errors, in the words of this server where its own don't say what to do. */
function known(error: FastifyError): Error {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [issue] = error.validation;
    const name = issue === undefined ? "" : issue.instancePath.split("/").filter(Boolean).join(".");
    const what = error.validationContext === "params" ? "path" : (error.validationContext ?? "request");
    const problem = `the ${name === "" ? what : `${what}'s ${name}`} is not as it must be: ${issue?.message ?? error.message}`;
    return refusal(400, "BAD_REQUEST", problem, error);
  }
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_INVALID_MULTIPART_CONTENT_TYPE":
      return refusal(415, "UNSUPPORTED_MEDIA_TYPE", "the body's content type is none that this route takes", error);
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return refusal(413, "PAYLOAD_TOO_LARGE", "the body is larger than this route takes", error);
    default:
      return error;
  }
}

function refusal(status: number, code: Refusal["code"], problem: string, cause: Error): HttpRefusal {
  return new HttpRefusal({ status, code, problem, remedy: "See /docs for what this route takes" }, { cause });
}

function send(request: FastifyRequest, reply: FastifyReply, { status, headers, body }: ErrorAnswer): FastifyReply {
  // The body's headers, e.g. a file's, are not those of its refusal.
  for (const name of ["content-length", "content-disposition", "content-range", "etag", "location"]) {
    void reply.removeHeader(name);
  }
  const bytes = Buffer.from(JSON.stringify(body));
  const hasArrived = request.raw.complete || request.raw.destroyed;
  return reply
    .code(status)
    .headers({ "cache-control": "no-store", "content-length": bytes.byteLength, ...headers })
    .type("application/json; charset=utf-8")
    .send(hasArrived ? bytes : lingeringAnswer(bytes, request.raw));
}
