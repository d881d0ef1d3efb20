import { z } from "zod";
import { ignoreBodies } from "../bodies/no-body.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { refusals } from "../openapi/answers.js";
import { JobPathSchema, QueueQuerySchema, queueOptions, toJobId } from "./parameters.js";

const IdsSchema = z.array(z.string()).describe("Ids of the waiting jobs; the first is the next to start");

/** `/worker/queue…`: the jobs that wait for workers. */
export function registerQueueRoutes(app: HttpApp, { service, limits }: HttpServices): void {
  void app.register((scope: HttpApp, _options, done) => {
    ignoreBodies(scope, limits);
    const listSchema = { summary: "The waiting jobs", response: { 200: IdsSchema, ...refusals() } };
    scope.get("/worker/queue", { schema: listSchema }, async () => [...(await service.queuedIds())]);
    const schema = {
      summary: "Makes a job wait for workers",
      params: JobPathSchema,
      querystring: QueueQuerySchema,
      response: { 200: IdsSchema, ...refusals(404, 408, 409, 413) },
    };
    scope.put("/worker/queue/:id", { schema }, async ({ params, query }) => {
      await service.queue(toJobId(params.id), queueOptions(query));
      return [...(await service.queuedIds())];
    });
    done();
  });
}
