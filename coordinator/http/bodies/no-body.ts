import type { IncomingMessage } from "node:http";
import type { HttpApp } from "../http-app.js";
import { type BodyLimits, readBody } from "./read-body.js";

/** A command's body says nothing; some clients send `{}` or `null` all the same. */
const MAX_IGNORED_BYTES = 65_536;

/** Within `scope`, bodies of any type are read and dropped; `request.body` stays undefined. */
export function ignoreBodies(scope: HttpApp, { bodyTimeoutMs }: BodyLimits): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", async (_request: unknown, payload: IncomingMessage) => {
    await readBody(payload, { bodyBytes: MAX_IGNORED_BYTES, bodyTimeoutMs });
  });
}
