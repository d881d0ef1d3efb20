import { Readable } from "node:stream";
import { z } from "zod";
import { KEEP_ALIVE_MS } from "../../../shared/api/job-event.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { rawAnswer, refusals } from "../openapi/answers.js";
import { JobPathSchema, toJobId, wholeNumber } from "../routes/parameters.js";
import { eventStream } from "./event-stream.js";
import { OpenStreams } from "./open-streams.js";

export interface StreamTiming {
  /** Longest silence. */
  readonly keepAliveMs: number;
  /** A client that takes nothing for so long is cut off. */
  readonly stallMs: number;
  /** The same when the server closes. */
  readonly closeMs: number;
}

/** Open at once. */
const MOST_STREAMS = 512;

const EventNumber = wholeNumber(0, 999_999_999_999_999).optional();

/** The first keep-alive is still there when a timer is late. */
const TIMING: StreamTiming = { keepAliveMs: KEEP_ALIVE_MS - 2_000, stallMs: 60_000, closeMs: 1_000 };

/**
 * `GET /vinnsl/{id}/events`: see `JobEventSchema`. A client that comes back names the last event that it has in `Last-Event-ID`, which
 * counts more than `?after=`. A client that reads too slowly misses steps and epochs; one that doesn't read at all is cut off.
 */
export function registerEventsRoute(
  app: HttpApp,
  services: Pick<HttpServices, "service" | "closing" | "log">,
  { timing = TIMING, most = MOST_STREAMS }: { readonly timing?: StreamTiming; readonly most?: number } = {},
): OpenStreams {
  const { service, closing, log } = services;
  const streams = new OpenStreams(closing, { graceMs: timing.closeMs, most });
  const schema = {
    summary: "A job's events as they happen",
    params: JobPathSchema,
    querystring: z.object({ after: EventNumber.describe("Events up to this one are known; default 0") }),
    headers: z.looseObject({ "last-event-id": EventNumber.describe("As `after`, and before it") }),
    response: {
      200: rawAnswer("Server-sent events, without an end", { "text/event-stream": z.string() }),
      ...refusals(404),
    },
  };
  app.get("/vinnsl/:id/events", { schema, exposeHeadRoute: false }, async ({ params, query, headers }, reply) => {
    const id = toJobId(params.id);
    const after = headers["last-event-id"] ?? query.after ?? 0;
    // An unknown job has to be refused before the stream begins.
    await service.detail(id);
    const signal = streams.open(reply.raw);
    const stalled = () => {
      log.info({ jobId: id, stallMs: timing.stallMs }, "a reader of events takes nothing, and is cut off");
      reply.raw.destroy();
    };
    const { keepAliveMs, stallMs } = timing;
    const events = service.follow(id, after, signal);
    const body = Readable.from(eventStream({ events, signal, keepAliveMs, stallMs, stalled }), { highWaterMark: 1 });
    // Its end is the end of the connection: kept alive, it would keep a server that closes.
    void reply.headers({ "cache-control": "no-store, no-transform", "x-accel-buffering": "no", connection: "close" });
    return reply.type("text/event-stream").send(body);
  });
  return streams;
}
