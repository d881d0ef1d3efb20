import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import type { DocumentBody } from "../../service/job-service.js";
import type { HttpApp } from "../http-app.js";
import { HttpRefusal } from "../http-refusal.js";
import { type BodyLimits, readBody } from "./read-body.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The bodies that the route takes, by content type, as JSON schemas: for the description of the interface. */
    requestBody?: Readonly<Record<string, RequestBody>>;
  }
}

export interface RequestBody {
  readonly schema: Readonly<Record<string, unknown>>;
}

/** The documented bodies of a route that takes documents. */
export const DOCUMENT_BODIES: Readonly<Record<string, RequestBody>> = {
  "application/xml": { schema: { type: "string", description: "a ViNNSL document" } },
  "text/xml": { schema: { type: "string", description: "a ViNNSL document" } },
  "application/json": { schema: { type: "object", description: "a ViNNSL object, see docs/vinnsl-objects.md" } },
};

/** Within `scope`, bodies of any type are handed to the routes as they came, for {@link documentBody}. */
export function acceptDocuments(scope: HttpApp, limits: BodyLimits): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request: unknown, payload: IncomingMessage) => readBody(payload, limits));
}

type Hook = (request: FastifyRequest, reply: unknown, done: (error?: Error) => void) => void;

const DOCUMENT_REMEDY = "Send application/xml or application/json, in UTF-8";

/** As a route's `onRequest`: refuses what is no document before its body is read, by HttpRefusal 415. */
export const requireDocument: Hook = (request, _reply, done) => {
  done(refusalOf(request, (type) => documentFormat(type) !== null, DOCUMENT_REMEDY));
};

/** As {@link requireDocument}, for JSON alone; the stack's own clients call it `text/plain`. */
export const requireJson: Hook = (request, _reply, done) => {
  const isJson = (type: string) => documentFormat(type) === "json" || /^\s*text\/plain\s*(;|$)/i.test(type);
  done(refusalOf(request, isJson, "Send application/json, in UTF-8"));
};

/** The document that a request with {@link requireDocument} brought. @throws HttpRefusal 415 */
export function documentBody(request: FastifyRequest): DocumentBody {
  const format = documentFormat(request.headers["content-type"]);
  if (format === null) throw unsupported("the body is no document", DOCUMENT_REMEDY);
  return { format, bytes: documentBytes(request) };
}

/** What a request brought, as it came; empty when there was no body. */
export function documentBytes({ body }: FastifyRequest): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}

/** Pure: what a body of this type is; null: neither XML nor JSON, or not in UTF-8. */
export function documentFormat(contentType: string | undefined): DocumentBody["format"] | null {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.split("=");
    const charset = value.trim().replace(/^"(.*)"$/, "$1");
    if (name.trim() === "charset" && !["utf-8", "utf8", "us-ascii"].includes(charset)) return null;
  }
  const match = /^\s*(?:(?:application|text)\/|[a-z]+\/[^\s/]+\+)(xml|json)\s*$/.exec(type);
  return match === null ? null : (match[1] as DocumentBody["format"]);
}

function refusalOf(
  { headers }: FastifyRequest,
  isTaken: (contentType: string) => boolean,
  remedy: string,
): HttpRefusal | undefined {
  const { "content-type": type, "content-encoding": encoding } = headers;
  if (type === undefined) return unsupported("the body has no content type", remedy);
  if (!isTaken(type)) return unsupported(`the body is ${JSON.stringify(type.slice(0, 100))}`, remedy);
  if (encoding === undefined || encoding.toLowerCase() === "identity") return undefined;
  return unsupported(`the body is encoded as ${JSON.stringify(encoding.slice(0, 100))}`, "Send it as it is");
}

function unsupported(problem: string, remedy: string): HttpRefusal {
  return new HttpRefusal({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE", problem, remedy });
}
