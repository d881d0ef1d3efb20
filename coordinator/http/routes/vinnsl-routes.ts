import { z } from "zod";
import { PART_OF_ROUTE } from "../../vinnsl/object/replace-part.js";
import { acceptDocuments, DOCUMENT_BODIES, documentBody, requireDocument } from "../bodies/document-body.js";
import { ignoreBodies } from "../bodies/no-body.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { negotiate } from "../negotiate.js";
import { noBytes } from "../no-bytes.js";
import { emptyAnswer, refusals } from "../openapi/answers.js";
import { locationOf } from "./location.js";
import { OBJECT_ANSWER, OBJECT_TYPES, OBJECTS_ANSWER, sendObject } from "./object-answer.js";
import { streamObjects } from "./object-list.js";
import { JobPathSchema, toJobId, wholeNumber } from "./parameters.js";

/** `/vinnsl…`: objects in and out, as the stack's clients know it. */
export function registerVinnslRoutes(app: HttpApp, services: HttpServices): void {
  void app.register((scope, _options, done) => {
    acceptDocuments(scope, services.limits);
    registerSubmission(scope, services);
    registerParts(scope, services);
    done();
  });
  void app.register((scope, _options, done) => {
    ignoreBodies(scope, services.limits);
    registerReading(scope, services);
    registerDeletion(scope, services);
    registerAddFile(scope, services);
    done();
  });
}

const DOCUMENT_REFUSALS = refusals(404, 406, 408, 409, 413, 415, 507);

function registerSubmission(app: HttpApp, services: HttpServices): void {
  const { 404: _unknown, 406: _unacceptable, ...refused } = DOCUMENT_REFUSALS;
  const schema = {
    summary: "A new job of a ViNNSL document; Location says where it is",
    querystring: z.object({ priority: wholeNumber(-1000, 1000).optional().describe("Higher is sooner; default 0") }),
    response: { 201: emptyAnswer("Created; its address is in Location"), ...refused },
  };
  const config = { requestBody: DOCUMENT_BODIES };
  app.post("/vinnsl", { schema, config, onRequest: requireDocument }, async (request, reply) => {
    const { priority } = request.query;
    const job = await services.service.submit({
      ...documentBody(request),
      ...(priority === undefined ? {} : { priority }),
    });
    return reply
      .code(201)
      .header("location", locationOf(`/vinnsl/${job.id}`, request, services))
      .send(undefined);
  });
}

function registerParts(app: HttpApp, { service }: HttpServices): void {
  for (const [route, part] of Object.entries(PART_OF_ROUTE)) {
    const schema = {
      summary: `Replaces the ${part} of an object`,
      params: JobPathSchema,
      response: { 200: OBJECT_ANSWER, ...DOCUMENT_REFUSALS },
    };
    const options = { schema, config: { requestBody: DOCUMENT_BODIES }, onRequest: requireDocument };
    app.put(`/vinnsl/:id/${route}`, options, async (request, reply) => {
      const body = documentBody(request);
      const [first, second] = OBJECT_TYPES;
      const type = negotiate(request.headers.accept, body.format === "xml" ? [second, first] : [first, second]);
      return sendObject(reply, await service.replacePart(toJobId(request.params.id), part, body), type);
    });
  }
}

function registerReading(app: HttpApp, { service }: HttpServices): void {
  const listSchema = { summary: "All objects, oldest first", response: { 200: OBJECTS_ANSWER, ...refusals(406) } };
  app.get("/vinnsl", { schema: listSchema }, async (request, reply) => {
    const type = negotiate(request.headers.accept, ["application/json"]);
    void reply.type(`${type}; charset=utf-8`);
    return reply.send(request.method === "HEAD" ? noBytes() : await streamObjects(service.objects()));
  });
  const schema = {
    summary: "One object",
    params: JobPathSchema,
    response: { 200: OBJECT_ANSWER, ...refusals(404, 406) },
  };
  app.get("/vinnsl/:id", { schema }, async (request, reply) => {
    const type = negotiate(request.headers.accept, OBJECT_TYPES);
    return sendObject(reply, await service.object(toJobId(request.params.id)), type);
  });
}

function registerDeletion(app: HttpApp, { service }: HttpServices): void {
  const allSchema = {
    summary: "Deletes all jobs; those that run are cancelled first",
    response: { 200: z.object({ message: z.string() }), ...refusals(408, 409, 413) },
  };
  app.delete("/vinnsl/deleteall", { schema: allSchema }, async () => {
    await service.removeAll();
    return { message: "all vinnsl deleted" };
  });
  const schema = {
    summary: "Deletes a job; if it waits or runs, it is cancelled first",
    params: JobPathSchema,
    response: { 200: emptyAnswer("Deleted"), ...refusals(404, 408, 409, 413) },
  };
  app.delete("/vinnsl/:id", { schema }, async (request, reply) => {
    await service.remove(toJobId(request.params.id));
    return reply.code(200).send(undefined);
  });
}

function registerAddFile(app: HttpApp, { service }: HttpServices): void {
  const schema = {
    summary: "Makes a stored file the data of a job, or its labels",
    params: JobPathSchema,
    querystring: z.object({ fileId: z.string().min(1).describe("As the upload answered") }),
    response: { 200: OBJECT_ANSWER, ...refusals(404, 406, 408, 409, 413, 507) },
  };
  app.put("/vinnsl/:id/addfile", { schema }, async (request, reply) => {
    const type = negotiate(request.headers.accept, OBJECT_TYPES);
    return sendObject(reply, await service.addFile(toJobId(request.params.id), request.query.fileId), type);
  });
}
