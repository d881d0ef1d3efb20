import fastifyMultipart from "@fastify/multipart";
import { z } from "zod";
import { UploadedFileSchema } from "../../../shared/api/uploaded-file.js";
import { fileNotFound } from "../../store/store-failure.js";
import { FILE_PAGE, type StoredFile } from "../../store/stored-file.js";
import { ignoreBodies } from "../bodies/no-body.js";
import { receiveUpload } from "../files/receive-upload.js";
import { sendFile } from "../files/send-file.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { HttpRefusal } from "../http-refusal.js";
import { emptyAnswer, rawAnswer, refusals } from "../openapi/answers.js";
import { FilePathSchema, toFileId, wholeNumber } from "./parameters.js";

const FileSchema = z.object({
  id: z.string(),
  name: z.string(),
  contentType: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string(),
  createdAt: z.iso.datetime(),
});

const FilesSchema = z.object({
  files: z.array(z.string()).describe("Ids, in the order of their creation"),
  metadata: z.array(FileSchema).describe("Of the same files, in the same order"),
  next: z.string().nullable().describe("What to pass as cursor for the next page; null on the last"),
});

const FILE_ANSWERS = {
  200: rawAnswer("The file, in the type that it was sent as if that is harmless", { "*/*": z.string() }),
  206: rawAnswer("The part of it that was asked for", { "*/*": z.string() }),
  304: emptyAnswer("The client has it already"),
  ...refusals(404, 416),
};

const UPLOAD_BODY = {
  "multipart/form-data": {
    schema: { type: "object", properties: { file: { type: "string", format: "binary" } }, required: ["file"] },
  },
} as const;

/** `/storage…`: files that jobs train on, and those that they leave. */
export function registerStorageRoutes(app: HttpApp, services: HttpServices): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    void scope.register(fastifyMultipart);
    registerUploads(scope, services);
    done();
  });
  void app.register((scope, _options, done) => {
    ignoreBodies(scope, services.limits);
    registerListing(scope, services);
    registerContents(scope, services);
    registerFileRoutes(scope, services);
    done();
  });
}

function registerUploads(app: HttpApp, { files }: HttpServices): void {
  const schema = {
    summary: "Stores a file; its id is what addfile takes",
    response: { 200: UploadedFileSchema, ...refusals(413, 415, 507) },
  };
  for (const path of ["/storage", "/storage/upload"]) {
    app.post(path, { schema, config: { requestBody: UPLOAD_BODY } }, async (request) => {
      return { file: (await receiveUpload(request, files)).id };
    });
  }
}

function registerListing(app: HttpApp, { files }: HttpServices): void {
  const schema = {
    summary: "The stored files, oldest first",
    querystring: z.object({
      limit: wholeNumber(1, FILE_PAGE).default(FILE_PAGE),
      cursor: z
        .string()
        .regex(/^[1-9][0-9]{0,14}$/, "Give what the previous page had in next")
        .optional()
        .describe("What the previous page had in next"),
    }),
    response: { 200: FilesSchema, ...refusals() },
  };
  app.get("/storage", { schema }, async ({ query }) => {
    const page = await files.list({ limit: query.limit, cursor: query.cursor ?? null });
    return { files: page.files.map(({ id }) => id), metadata: page.files.map(metadataOf), next: page.next };
  });
  const fetchSchema = {
    summary: "Refused: this server fetches nothing from elsewhere",
    querystring: z.object({ url: z.string().optional() }),
    response: refusals(),
  };
  app.get("/storage/upload", { schema: fetchSchema }, () => {
    throw new HttpRefusal({
      status: 403,
      code: "FORBIDDEN",
      problem: "this server fetches no files from other servers",
      remedy: "Fetch the file yourself, and POST it to /storage/upload",
    });
  });
}

function registerContents(app: HttpApp, { files }: HttpServices): void {
  const schema = {
    summary: "A stored file",
    params: FilePathSchema,
    querystring: z.object({ download: z.enum(["true", "false"]).default("false").describe("To be saved, not shown") }),
    response: FILE_ANSWERS,
  };
  app.get("/storage/files/:fileId", { schema }, async (request, reply) => {
    const file = await files.get(toFileId(request.params.fileId));
    return sendFile(request, reply, { files, file, isDownload: request.query.download === "true" });
  });
  const namedSchema = {
    summary: "The latest stored file of a name",
    params: z.object({ filename: z.string() }),
    response: FILE_ANSWERS,
  };
  app.get("/storage/files/name/:filename", { schema: namedSchema }, async (request, reply) => {
    const { filename } = request.params;
    const file = await files.latest(filename);
    if (file === null) throw fileNotFound(JSON.stringify(filename.slice(0, 255)));
    return sendFile(request, reply, { files, file, isDownload: true });
  });
}

function registerFileRoutes(app: HttpApp, { files }: HttpServices): void {
  const metadataSchema = {
    summary: "What is known of a stored file",
    params: FilePathSchema,
    response: { 200: FileSchema, ...refusals(404) },
  };
  app.get("/storage/metadata/:fileId", { schema: metadataSchema }, async ({ params }) => {
    return metadataOf(await files.get(toFileId(params.fileId)));
  });
  const schema = {
    summary: "Deletes a stored file",
    params: FilePathSchema,
    response: { 200: emptyAnswer("Deleted"), ...refusals(404, 408, 413) },
  };
  app.delete("/storage/files/:fileId", { schema }, async ({ params }, reply) => {
    await files.delete(toFileId(params.fileId));
    return reply.code(200).send(undefined);
  });
}

function metadataOf({ createdAt, ...file }: StoredFile): z.infer<typeof FileSchema> {
  return { ...file, createdAt: new Date(createdAt).toISOString() };
}
