import { JobSummarySchema } from "../../../shared/api/job-summary.js";
import type { JobId } from "../../../shared/ids.js";
import { ignoreBodies } from "../bodies/no-body.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { refusals } from "../openapi/answers.js";
import { JobPathSchema, type QueueQuery, QueueQuerySchema, queueOptions, toJobId } from "../routes/parameters.js";

interface Command {
  readonly name: "train" | "retrain" | "cancel";
  readonly summary: string;
  readonly run: (id: JobId, query: QueueQuery) => Promise<unknown>;
}

/** `POST /vinnsl/{id}/train`, `retrain` and `cancel`: asked for now, done as soon as it can be; the answer is the job as it then is. */
export function registerCommandRoutes(app: HttpApp, { service, limits }: HttpServices): void {
  const queue: Command["run"] = (id, query) => service.queue(id, queueOptions(query));
  const commands: readonly Command[] = [
    { name: "train", summary: "Let the job wait for workers", run: queue },
    {
      name: "retrain",
      summary:
        "Let a job that has ended wait for workers again; one that has not finished goes on from its last checkpoint",
      run: queue,
    },
    { name: "cancel", summary: "End a job that waits or runs", run: (id) => service.cancel(id) },
  ];
  void app.register((scope: HttpApp, _options, done) => {
    ignoreBodies(scope, limits);
    for (const command of commands) registerCommand(scope, command, { service });
    done();
  });
}

function registerCommand(scope: HttpApp, command: Command, { service }: Pick<HttpServices, "service">): void {
  const { name, summary, run } = command;
  const schema = {
    summary,
    params: JobPathSchema,
    querystring: QueueQuerySchema,
    response: { 202: JobSummarySchema.describe("The job"), ...refusals(404, 408, 409, 413) },
  };
  scope.post(`/vinnsl/:id/${name}`, { schema }, async ({ params, query }, reply) => {
    const id = toJobId(params.id);
    await run(id, query);
    const { job } = await service.detail(id);
    return reply.code(202).send(job);
  });
}
