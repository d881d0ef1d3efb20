import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import process from "node:process";
import fastify from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  EventStreamParser,
  type ServerSentEvent,
} from "../../../../../coordinator/dashboard/api/event-stream-parser.js";
import { answerErrors } from "../../../../../coordinator/http/error-handlers.js";
import { registerEventsRoute } from "../../../../../coordinator/http/own/events-route.js";
import type { JobId } from "../../../../../shared/ids.js";
import { createLogger } from "../../../../../shared/logger.js";
import { openReportServer, READ_TOKEN, type ReportServer } from "../../../../support/report-server.js";
import { startedEvent, stepEvent } from "../../../../support/train-events.js";

async function runningJob(): Promise<{ server: ReportServer; id: JobId; origin: string }> {
  const server = await openReportServer();
  const origin = await server.listen();
  const id = await server.submit();
  await server.service.setStatus(id, { status: "INPROGRESS" });
  await server.service.report(id, { kind: "events", events: [startedEvent()] });
  return { server, id, origin };
}

/** Reads server-sent events until `done` says that it has enough. */
async function listen(url: string, headers: Record<string, string>, done: (events: ServerSentEvent[]) => boolean) {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const authorization = `Bearer ${READ_TOKEN}`;
  const response = await fetch(url, { headers: { authorization, ...headers }, signal: abort.signal });
  const events: ServerSentEvent[] = [];
  const parser = new EventStreamParser();
  if (response.body !== null) {
    for await (const piece of response.body) {
      events.push(...parser.push(piece));
      if (done(events)) break;
    }
  }
  return { response, events };
}

const numbers = (events: readonly ServerSentEvent[]) => events.map(({ id }) => Number(id));
const reportSteps = async (server: ReportServer, id: JobId, from: number, to: number) => {
  for (let step = from; step <= to; step++) {
    await server.service.report(id, { kind: "events", events: [stepEvent(1, step)] });
  }
};

describe("GET /vinnsl/{id}/events", () => {
  it("tells what was and what comes, numbered, typed, and uncached", async () => {
    const { server, id, origin } = await runningJob();
    const reading = listen(`${origin}/vinnsl/${id}/events`, {}, (events) => {
      return events.at(-1)?.data.includes('"step":2') === true;
    });
    await reportSteps(server, id, 1, 2);
    const { response, events } = await reading;

    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(response.headers.get("content-encoding")).toBeNull();
    const kinds = events.map(({ event }) => event).filter((kind) => kind !== "warning");
    expect(kinds).toEqual(["status", "status", "started", "step", "step"]);
    expect(numbers(events)).toEqual(events.map((_, index) => index + 1));
    expect(JSON.parse(events.at(-1)?.data ?? "")).toEqual(stepEvent(1, 2));
  });

  it.each(["header", "query"])("resumes without a hole behind the event named in the %s", async (place) => {
    const { server, id, origin } = await runningJob();
    await reportSteps(server, id, 1, 3);
    const first = await listen(`${origin}/vinnsl/${id}/events`, {}, (events) => events.length >= 4);
    const last = first.events[3]?.id ?? "";
    await reportSteps(server, id, 4, 6);
    const url = `${origin}/vinnsl/${id}/events${place === "query" ? `?after=${last}` : "?after=0"}`;
    const headers: Record<string, string> = place === "query" ? {} : { "last-event-id": last };
    const second = await listen(url, headers, (events) => events.at(-1)?.data.includes('"step":6') === true);

    const seen = [...numbers(first.events.slice(0, 4)), ...numbers(second.events)];
    expect(seen.length).toBeGreaterThanOrEqual(9);
    expect(seen).toEqual(seen.map((_, index) => index + 1));
  });

  it("ends for the server when its client goes", async () => {
    const { server, id, origin } = await runningJob();
    await listen(`${origin}/vinnsl/${id}/events`, {}, (events) => events.length >= 3);
    await expect.poll(() => openStreams(server)).toBe(0);
  });

  it("ends when the server closes, also for one who reads nothing", async () => {
    const { server, id, origin } = await runningJob();
    const reading = listen(`${origin}/vinnsl/${id}/events`, {}, () => false);
    const { port, hostname } = new URL(origin);
    const lazy = connect(Number(port), hostname);
    lazy.on("error", () => undefined);
    onTestFinished(() => void lazy.destroy());
    lazy.pause();
    lazy.write(
      `GET /vinnsl/${id}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${READ_TOKEN}\r\n\r\n`.replace(
        "host: x",
        `host: ${hostname}:${port}`,
      ),
    );
    await expect.poll(() => openStreams(server)).toBe(2);
    await server.close();

    const { events } = await reading;
    expect(events.length).toBeGreaterThanOrEqual(3);
  });

  it("ends when its job is removed", async () => {
    const { server, id, origin } = await runningJob();
    const reading = listen(`${origin}/vinnsl/${id}/events`, {}, () => false);
    await expect.poll(() => openStreams(server)).toBe(1);
    await server.service.setStatus(id, { status: "ERROR" });
    await server.service.remove(id);
    expect((await reading).events.length).toBeGreaterThanOrEqual(3);
  });

  it("cuts off a reader that takes nothing, and asks for nothing on its behalf meanwhile", async () => {
    const { server, id } = await runningJob();
    const message = "x".repeat(200_000);
    for (let count = 0; count < 100; count++) {
      const warning = { event: "warning", message: `${count} ${message}` } as const;
      await server.service.report(id, { kind: "events", events: [warning] });
    }
    let asked = 0;
    const service: typeof server.service = Object.create(server.service, {
      detail: { value: (job: JobId) => server.service.detail(job) },
      follow: {
        value: async function* (...request: Parameters<typeof server.service.follow>) {
          for await (const event of server.service.follow(...request)) {
            asked++;
            yield event;
          }
        },
      },
    });
    const app = fastify().withTypeProvider<ZodTypeProvider>();
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    const services = { service, closing: new AbortController().signal, log: createLogger("silent", {}) };
    registerEventsRoute(app, services, { timing: { keepAliveMs: 20, stallMs: 200, closeMs: 10 } });
    onTestFinished(() => app.close());
    const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    const lazy = connect(Number(port), "127.0.0.1");
    onTestFinished(() => void lazy.destroy());
    lazy.on("error", () => undefined).pause();
    const cut = once(app.server, "connection").then(([socket]) => once(socket as Socket, "close"));
    lazy.write(`GET /vinnsl/${id}/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
    await cut;

    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(90);
  });

  it("refuses one stream more than there may be, and takes one again when another has gone", async () => {
    const { server, id } = await runningJob();
    const app = fastify().withTypeProvider<ZodTypeProvider>();
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    answerErrors(app);
    const services = {
      service: server.service,
      closing: new AbortController().signal,
      log: createLogger("silent", {}),
    };
    const streams = registerEventsRoute(app, services, { most: 2 });
    onTestFinished(() => app.close());
    const origin = await app.listen({ host: "127.0.0.1", port: 0 });
    const ends = [new AbortController(), new AbortController()];
    onTestFinished(() => {
      for (const end of ends) end.abort();
    });
    for (const { signal } of ends) expect((await fetch(`${origin}/vinnsl/${id}/events`, { signal })).status).toBe(200);
    const refused = await fetch(`${origin}/vinnsl/${id}/events`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toMatchObject({
      error: { code: "TOO_MANY_STREAMS", message: expect.stringMatching(/^2 streams.*Close one/) },
    });
    ends[0]?.abort();
    // The server hears of it on its own: until then it refuses.
    while (streams.count === 2) await fetch(origin);
    expect(streams.count).toBe(1);
  });

  it("holds many listeners at once without a warning", async () => {
    const { id, origin } = await runningJob();
    const warnings: Error[] = [];
    const heard = (warning: Error) => void warnings.push(warning);
    process.on("warning", heard);
    onTestFinished(() => void process.off("warning", heard));
    const readers = Array.from({ length: 30 }, () => {
      return listen(`${origin}/vinnsl/${id}/events`, {}, (events) => events.length >= 3);
    });
    for (const { events } of await Promise.all(readers)) expect(numbers(events).slice(0, 3)).toEqual([1, 2, 3]);
    expect(warnings).toEqual([]);
  });

  it("refuses an unknown job, and a number that is none", async () => {
    const { id, origin } = await runningJob();
    const unknown = await listen(`${origin}/vinnsl/000000000000000000000000/events`, {}, () => true);
    expect(unknown.response.status).toBe(404);
    const wrong = await listen(`${origin}/vinnsl/${id}/events`, { "last-event-id": "seven" }, () => true);
    expect(wrong.response.status).toBe(400);
  });

  it("takes no HEAD, which would never end", async () => {
    const { id, origin } = await runningJob();
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${READ_TOKEN}` };
      request(`${origin}/vinnsl/${id}/events`, { method: "HEAD", headers }, (answer) => resolve(answer.statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBe(405);
  });
});

async function openStreams({ app }: ReportServer): Promise<number> {
  const { payload } = await app.inject({
    url: "/metrics",
    headers: { authorization: `Bearer ${READ_TOKEN}`, host: "127.0.0.1" },
  });
  return Number(/^ringstrasse_event_streams (\d+)$/m.exec(payload)?.[1]);
}
