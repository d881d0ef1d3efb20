import { z } from "zod";
import { JobStatusSchema, StatusesResponseSchema } from "../../../shared/api/job-status.js";
import { STATUS_MESSAGE_LENGTH, shortenMessage } from "../../../shared/api/run-report.js";
import { ignoreBodies } from "../bodies/no-body.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { refusals } from "../openapi/answers.js";
import { JobPathSchema, toJobId } from "./parameters.js";

const MESSAGE = `Why, for ERROR; of longer messages the first ${STATUS_MESSAGE_LENGTH} characters are kept`;

/** `/status…`: how jobs stand, and, for runs elsewhere, how they go on. */
export function registerStatusRoutes(app: HttpApp, { service, limits }: HttpServices): void {
  void app.register((scope: HttpApp, _options, done) => {
    ignoreBodies(scope, limits);
    const allSchema = { summary: "The status of every job", response: { 200: StatusesResponseSchema, ...refusals() } };
    scope.get("/status", { schema: allSchema }, async () => ({ ...(await service.statuses()) }));
    const oneSchema = {
      summary: "The status of a job",
      params: JobPathSchema,
      response: { 200: StatusesResponseSchema, ...refusals(404) },
    };
    scope.get("/status/:id", { schema: oneSchema }, async ({ params }) => {
      const { job } = await service.detail(toJobId(params.id));
      return { [job.id]: job.status };
    });
    const changeSchema = {
      summary: "Moves a job to a status; QUEUED makes it wait for workers",
      params: JobPathSchema.extend({ status: JobStatusSchema }),
      querystring: z.object({ message: z.string().optional().describe(MESSAGE) }),
      response: { 200: StatusesResponseSchema, ...refusals(404, 408, 409, 413) },
    };
    scope.put("/status/:id/:status", { schema: changeSchema }, async ({ params, query }) => {
      const { status } = params;
      const { message } = query;
      const change = { status, ...(message === undefined ? {} : { message: shortenMessage(message) }) };
      const job = await service.setStatus(toJobId(params.id), change);
      return { [job.id]: job.status };
    });
    done();
  });
}
