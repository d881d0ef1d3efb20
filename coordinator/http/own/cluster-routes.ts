import { z } from "zod";
import { ClusterSchema } from "../../../shared/api/cluster.js";
import { JobDetailSchema } from "../../../shared/api/job-detail.js";
import { JobMetricsSchema } from "../../../shared/api/job-metrics.js";
import { JobStatusSchema } from "../../../shared/api/job-status.js";
import { JobPageSchema } from "../../../shared/api/job-summary.js";
import { FinishedEventSchema, StartedEventSchema } from "../../../shared/train-events.js";
import { JOB_PAGE, METRIC_PAGE } from "../../store/job-store.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { refusals } from "../openapi/answers.js";
import { JobPathSchema, toJobId, wholeNumber } from "../routes/parameters.js";

const DEFAULT_JOBS = 100;
const DEFAULT_STEPS = 2000;
const LAST_POSITION = 999_999_999_999_999;

const ownId = z.string();
/** The same shape, without what a schema can only read: brands, and JSON of any depth. */
const JobDetailAnswerSchema = JobDetailSchema.extend({
  started: StartedEventSchema.extend({ jobId: ownId, configuration: z.record(z.string(), z.unknown()) }).nullable(),
  result: FinishedEventSchema.extend({ jobId: ownId }).nullable(),
});

const JobsQuerySchema = z.object({
  limit: wholeNumber(1, JOB_PAGE).optional().describe(`Jobs at most; default ${DEFAULT_JOBS}`),
  cursor: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/, "Give what the page before had in next")
    .optional()
    .describe("`next` of the page before"),
  status: JobStatusSchema.optional().describe("Of this status alone"),
});

const MetricsQuerySchema = z.object({
  from: wholeNumber(0, LAST_POSITION).optional().describe("The first step wanted"),
  limit: wholeNumber(1, METRIC_PAGE)
    .optional()
    .describe(`Steps at most, and epochs at most, the others evenly left out; default ${DEFAULT_STEPS}`),
});

/** `GET /cluster…` and `GET /vinnsl/{id}/metrics`: what a page shows of workers, jobs and curves. */
export function registerClusterRoutes(app: HttpApp, { service }: HttpServices): void {
  const cluster = {
    summary: "Workers and the queue",
    response: { 200: ClusterSchema.describe("As of now"), ...refusals() },
  };
  app.get("/cluster", { schema: cluster }, () => service.cluster());

  const page = {
    summary: "Jobs, newest first",
    querystring: JobsQuerySchema,
    response: { 200: JobPageSchema.describe("One page"), ...refusals() },
  };
  app.get("/cluster/jobs", { schema: page }, async ({ query }) => {
    const { limit = DEFAULT_JOBS, cursor = null, status } = query;
    const { jobs, next } = await service.page({
      limit,
      cursor,
      order: "newest",
      ...(status === undefined ? {} : { status }),
    });
    return { jobs: [...jobs], next };
  });

  const detail = {
    summary: "One job, with all that a page shows of it",
    params: JobPathSchema,
    response: { 200: JobDetailAnswerSchema.describe("The job"), ...refusals(404) },
  };
  app.get("/cluster/jobs/:id", { schema: detail }, ({ params }) => service.detail(toJobId(params.id)));

  const metrics = {
    summary: "The curves of a job's latest attempt",
    params: JobPathSchema,
    querystring: MetricsQuerySchema,
    response: { 200: JobMetricsSchema.describe("In order of time"), ...refusals(404) },
  };
  app.get("/vinnsl/:id/metrics", { schema: metrics }, ({ params, query }) => {
    const { from = 0, limit = DEFAULT_STEPS } = query;
    return service.metrics(toJobId(params.id), { from, limit });
  });
}
