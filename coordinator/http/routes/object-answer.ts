import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { JobObject } from "../../service/job-service.js";
import { toVinnslJson } from "../../vinnsl/object/to-vinnsl-json.js";
import { toVinnslXml } from "../../vinnsl/object/to-vinnsl-xml.js";
import { rawAnswer } from "../openapi/answers.js";

export const OBJECT_TYPES = ["application/json", "application/xml"] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

const ObjectSchema = z
  .looseObject({
    identifier: z.string().nullable().optional(),
    nncloud: z.object({ status: z.string(), dl4jNetwork: z.string().nullable() }),
  })
  .describe("A ViNNSL object, see docs/vinnsl-objects.md");

/** How routes describe an answer of one whole object. */
export const OBJECT_ANSWER = rawAnswer("The whole object", {
  "application/json": ObjectSchema,
  "application/xml": z.string().describe("A vinnsl document"),
});

/** How routes describe an answer of many. */
export const OBJECTS_ANSWER = rawAnswer("All objects, oldest first", { "application/json": z.array(ObjectSchema) });

/** Answers with the whole object, in a type that the client likes. */
export function sendObject(reply: FastifyReply, object: JobObject, type: ObjectType): FastifyReply {
  const text = type === "application/json" ? objectJson(object) : toVinnslXml(object.object);
  return reply.type(`${type}; charset=utf-8`).send(Buffer.from(text));
}

/** The object as clients of the stack read it. Pure. */
export function objectJson({ job, object }: JobObject): string {
  return JSON.stringify(toVinnslJson(object, { status: job.status, dl4jNetwork: job.dl4j }));
}
