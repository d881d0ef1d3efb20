import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { HttpApp, HttpServices } from "../http-app.js";
import { rawAnswer, refusals } from "../openapi/answers.js";
import type { OpenStreams } from "./open-streams.js";
import { PrometheusFigures } from "./prometheus.js";

/** `GET /metrics`, and the watch that every answer is timed by. */
export function registerPrometheusRoute(app: HttpApp, { service }: HttpServices, streams: OpenStreams): void {
  const figures = new PrometheusFigures(service, () => streams.count);
  app.addHook("onResponse", (request, reply, done) => {
    figures.observe(answered(request, reply));
    done();
  });
  app.addHook("onClose", (_app, done) => {
    figures[Symbol.dispose]();
    done();
  });
  const schema = {
    summary: "Figures for Prometheus",
    response: { 200: rawAnswer("All figures", { "text/plain": z.string() }), ...refusals() },
  };
  app.get("/metrics", { schema }, async (_request, reply) => {
    return reply.type(figures.contentType).send(await figures.text());
  });
}

function answered(request: FastifyRequest, reply: FastifyReply): Parameters<PrometheusFigures["observe"]>[0] {
  const { method, routeOptions } = request;
  return {
    method,
    route: routeOptions.url ?? "none",
    status: reply.statusCode,
    seconds: reply.elapsedTime / 1000,
  };
}
