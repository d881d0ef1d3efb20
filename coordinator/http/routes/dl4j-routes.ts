import type { FastifyReply } from "fastify";
import { z } from "zod";
import { acceptDocuments, documentBytes, requireJson } from "../bodies/document-body.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { rawAnswer, refusals } from "../openapi/answers.js";
import { JobPathSchema, toJobId } from "./parameters.js";

const CONFIGURATION_ANSWER = rawAnswer("A DL4J MultiLayerConfiguration", { "application/json": z.looseObject({}) });
const CONFIGURATION_BODY = { schema: { type: "object", description: "a DL4J MultiLayerConfiguration" } };

/** `/dl4j/{id}`: the network in the words of Deeplearning4j. */
export function registerDl4jRoutes(app: HttpApp, { service, limits }: HttpServices): void {
  void app.register((scope: HttpApp, _options, done) => {
    acceptDocuments(scope, limits);
    const readSchema = {
      summary: "The network as a DL4J configuration: the stored one, else derived from the definition",
      params: JobPathSchema,
      response: { 200: CONFIGURATION_ANSWER, ...refusals(404, 409) },
    };
    scope.get("/dl4j/:id", { schema: readSchema }, async ({ params }, reply) => {
      const { text, differences } = await service.dl4j(toJobId(params.id));
      if (differences.length > 0) void reply.header("x-dl4j-differences", asciiJson(differences));
      return sendConfiguration(reply, text);
    });
    const schema = {
      summary: "Stores a DL4J configuration with the job",
      params: JobPathSchema,
      response: { 200: CONFIGURATION_ANSWER, ...refusals(404, 408, 409, 413, 415, 507) },
    };
    const config = { requestBody: { "application/json": CONFIGURATION_BODY } };
    scope.put("/dl4j/:id", { schema, config, onRequest: requireJson }, async (request, reply) => {
      const id = toJobId(request.params.id);
      await service.replaceDl4j(id, documentBytes(request));
      return sendConfiguration(reply, (await service.dl4j(id)).text);
    });
    done();
  });
}

function sendConfiguration(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("application/json; charset=utf-8").send(Buffer.from(text));
}

/** JSON that may stand in a header. */
function asciiJson(texts: readonly string[]): string {
  return JSON.stringify(texts).replace(/[^ -~]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
