import type { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import {
  EventPositionSchema,
  EventsTakenSchema,
  ModelFileNameSchema,
  RunNameSchema,
} from "../../../shared/api/run-report.js";
import type { ReportIntake } from "../../report/report-intake.js";
import { fileNotFound } from "../../store/store-failure.js";
import { readBody } from "../bodies/read-body.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { HttpRefusal } from "../http-refusal.js";
import { emptyAnswer, refusals } from "../openapi/answers.js";
import { JobPathSchema, toJobId, wholeNumber } from "../routes/parameters.js";
import { type EventsFormat, readEvents } from "./read-event-lines.js";

const FORMATS: Readonly<Record<string, EventsFormat>> = {
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/json": "json",
};
const EVENTS_BODY = {
  "application/x-ndjson": { schema: { type: "string", description: "events as `train --json` prints them" } },
  "application/json": { schema: { type: "array", items: { type: "object" }, minItems: 1 } },
} as const;
const FILE_BODY = {
  "application/octet-stream": { schema: { type: "string", format: "binary" } },
} as const;

const EventsQuerySchema = z.object({
  from: wholeNumber(0, 999_999_999_999_999)
    .optional()
    .describe("Events that the run has sent before; what has come already is not taken again. Default 0"),
  run: RunNameSchema.optional().describe("Names the run: one that starts anew counts its events anew"),
});
const ModelPathSchema = JobPathSchema.extend({
  name: z.string().describe("model.json, weights.bin or model.safetensors"),
});
const UNNAMED_RUN = "unnamed";

/** `/vinnsl/{id}/ingest/…`: what a run elsewhere tells of itself, see `RunReportSchema`. Status and documents come by the stack's routes. */
export function registerIngestRoutes(app: HttpApp, { limits }: HttpServices, intake: ReportIntake): void {
  void app.register((scope: HttpApp, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(Object.keys(FORMATS), (_request: unknown, payload: Readable) =>
      readBody(payload, limits),
    );
    const schema = {
      summary: "Events of a run elsewhere",
      params: JobPathSchema,
      querystring: EventsQuerySchema,
      response: { 200: EventsTakenSchema.describe("They are kept"), ...refusals(404, 408, 409, 413, 415) },
    };
    const config = { requestBody: EVENTS_BODY };
    scope.post("/vinnsl/:id/ingest/events", { schema, config }, ({ params, query, body, headers }) => {
      const id = toJobId(params.id);
      const { from = 0, run = UNNAMED_RUN } = query;
      const events = readEvents(bodyText(body), formatOf(headers["content-type"]));
      return intake.events(id, { run, from: EventPositionSchema.parse(from), events });
    });
    done();
  });
  void app.register((scope: HttpApp, _options, done) => {
    scope.removeAllContentTypeParsers();
    // Not read here: the handler takes it piece by piece.
    scope.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null, undefined));
    const schema = {
      summary: "A file of the model that a run elsewhere has trained",
      params: ModelPathSchema,
      response: { 204: emptyAnswer("It is kept"), ...refusals(404, 409, 413, 507) },
    };
    scope.put(
      "/vinnsl/:id/ingest/model/:name",
      { schema, config: { requestBody: FILE_BODY } },
      async (request, reply) => {
        const id = toJobId(request.params.id);
        const name = ModelFileNameSchema.safeParse(request.params.name);
        if (!name.success) throw fileNotFound(request.params.name.slice(0, 100));
        await intake.modelFile(id, { name: name.data, content: pieces(request) });
        return reply.code(204).send();
      },
    );
    done();
  });
}

function formatOf(contentType: string | undefined): EventsFormat {
  const [type = ""] = (contentType ?? "").toLowerCase().split(";");
  const format = FORMATS[type.trim()];
  if (format !== undefined) return format;
  throw new HttpRefusal({
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    problem: "the body is neither application/x-ndjson nor application/json",
    remedy: "Send one event as JSON per line, as application/x-ndjson",
  });
}

function bodyText(body: unknown): string {
  return body instanceof Uint8Array ? Buffer.from(body).toString("utf8") : "";
}

/** The body, whole or not at all: a client that goes in the middle is no end of the file. @throws HttpRefusal 400 */
async function* pieces({ raw }: Pick<FastifyRequest, "raw">): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const piece of raw.iterator({ destroyOnReturn: false })) yield piece;
  } catch (cause) {
    throw broken(cause);
  } finally {
    // Refused in the middle: what still comes is dropped, so that the client hears the answer.
    raw.resume();
  }
  if (!raw.complete) throw broken(undefined);
}

function broken(cause: unknown): HttpRefusal {
  const problem = "the connection broke before the whole file had arrived";
  return new HttpRefusal({ status: 400, code: "BAD_REQUEST", problem, remedy: "Send it again" }, { cause });
}
