import { z } from "zod";
import { JobFileSchema } from "../../../shared/api/job-detail.js";
import { MODEL_FILES } from "../../../shared/model-file/model-facts.js";
import { fileNotFound } from "../../store/store-failure.js";
import { sendFile } from "../files/send-file.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { emptyAnswer, rawAnswer, refusals } from "../openapi/answers.js";
import { JobPathSchema, toFileId, toJobId } from "../routes/parameters.js";

const ModelFilesSchema = z.object({ files: z.array(JobFileSchema) });
const ModelFileParametersSchema = JobPathSchema.extend({ name: z.string().describe("e.g. model.json") });

/**
 * `GET /vinnsl/{id}/model…`: the trained model's files under names that refer to each other, so that
 * `tf.loadLayersModel("…/vinnsl/{id}/model/model.json")` works.
 */
export function registerModelRoutes(app: HttpApp, { service, files }: HttpServices): void {
  const list = {
    summary: "Files of the trained model",
    params: JobPathSchema,
    response: { 200: ModelFilesSchema.describe("None before the first run has ended well"), ...refusals(404) },
  };
  app.get("/vinnsl/:id/model", { schema: list }, async ({ params }) => {
    const id = toJobId(params.id);
    const ids = [...(await service.modelFiles(id))];
    const found = await Promise.all(
      ids.map(async ([name, fileId]) => ({ name, file: await files.get(toFileId(fileId)) })),
    );
    return {
      files: found.map(({ name, file }) => {
        return { name, href: `/vinnsl/${id}/model/${encodeURIComponent(name)}`, sizeBytes: file.sizeBytes };
      }),
    };
  });

  const one = {
    summary: "A file of the trained model",
    params: ModelFileParametersSchema,
    response: {
      200: rawAnswer("The file", { "application/json": z.unknown(), "application/octet-stream": z.string() }),
      206: rawAnswer("The part of it that was asked for", { "*/*": z.string() }),
      304: emptyAnswer("The client has it already"),
      ...refusals(404, 416),
    },
  };
  app.get("/vinnsl/:id/model/:name", { schema: one }, async (request, reply) => {
    const { id, name } = request.params;
    const fileId = (await service.modelFiles(toJobId(id))).get(name);
    if (fileId === undefined) throw fileNotFound(name.slice(0, 100));
    const file = { ...(await files.get(toFileId(fileId))), name, contentType: contentType(name) };
    return sendFile(request, reply, { files, file, isDownload: false });
  });
}

function contentType(name: string): string {
  return name === MODEL_FILES.topology ? "application/json" : "application/octet-stream";
}
