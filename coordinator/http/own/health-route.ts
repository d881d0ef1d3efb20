import { z } from "zod";
import { describeFailure } from "../../../shared/describe-failure.js";
import { toFailure } from "../../../shared/failure.js";
import { VERSION } from "../../../shared/version.js";
import type { HttpApp, HttpServices } from "../http-app.js";

const HealthSchema = z.object({
  status: z.enum(["ok", "failing"]),
  version: z.string(),
  /** Workers that are here, working or not. */
  workers: z.number().int().nonnegative(),
  /** Jobs that wait for workers. */
  queued: z.number().int().nonnegative(),
});
const FailingSchema = HealthSchema.pick({ status: true, version: true }).extend({ problem: z.string() });

/** `GET /health`: whether the server can do its work, for those that start it again when it can't. */
export function registerHealthRoute(app: HttpApp, { service, closing, log }: HttpServices): void {
  const schema = {
    summary: "Whether the server can do its work",
    response: {
      200: HealthSchema.describe("It can"),
      503: FailingSchema.describe("It can't"),
    },
  };
  app.get("/health", { schema, config: { access: "public" } }, async (_request, reply) => {
    try {
      if (closing.aborted) return reply.code(503).send(failing("the server is closing"));
      // Anybody may ask, as often as they like: this goes over an index of all jobs, and reads none of them.
      const { QUEUED: queued } = await service.counts();
      const workers = service.workers().filter(({ state }) => state !== "lost").length;
      return reply.code(200).send({ status: "ok", version: VERSION, workers, queued });
    } catch (thrown) {
      log.error({ err: thrown }, "the server is not healthy");
      // Paths are nobody's business here.
      const failure = toFailure(thrown);
      const problem = failure.code === "INTERNAL" ? "the server's log says why" : describeWithoutPath(failure);
      return reply.code(503).send(failing(problem));
    }
  });
}

function failing(problem: string): z.infer<typeof FailingSchema> {
  return { status: "failing", version: VERSION, problem };
}

function describeWithoutPath(failure: ReturnType<typeof toFailure>): string {
  if ("path" in failure) return `the server's data directory: ${failure.problem}`;
  return describeFailure(failure);
}
