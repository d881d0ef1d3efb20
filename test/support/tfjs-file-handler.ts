import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { io } from "@tensorflow/tfjs";
import { z } from "zod";

const ModelJsonSchema = z.looseObject({
  modelTopology: z.looseObject({}),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(z.looseObject({})) })),
});

/** Loads a tfjs model from files as tfjs-node's `file://` does; plain tfjs can only fetch. */
export function tfjsFileHandler(modelJsonPath: string): io.IOHandler {
  return {
    async load(): Promise<io.ModelArtifacts> {
      const json = ModelJsonSchema.parse(JSON.parse(await readFile(modelJsonPath, "utf8")));
      const paths = json.weightsManifest.flatMap((group) => group.paths);
      const buffers = await Promise.all(paths.map((path) => readFile(join(dirname(modelJsonPath), path))));
      const weightData = new Uint8Array(Buffer.concat(buffers)).buffer;
      const weightSpecs = json.weightsManifest.flatMap(
        (group) => group.weights,
      ) as unknown as io.WeightsManifestEntry[];
      return { ...json, weightSpecs, weightData } as io.ModelArtifacts;
    },
  };
}
