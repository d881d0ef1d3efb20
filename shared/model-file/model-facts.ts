import { z } from "zod";
import { FeatureTransformSchema } from "../data/dataset-spec.js";
import { JobIdSchema } from "../ids.js";
import { ModelSpecSchema, outputsOf } from "../model-spec.js";

/** Key under which our facts stand in `userDefinedMetadata` of a tfjs model. */
export const METADATA_KEY = "ringstrasse";
export const MODEL_FORMAT_VERSION = 1;

/** Names of the files in a model directory. */
export const MODEL_FILES = {
  topology: "model.json",
  weights: "weights.bin",
  safetensors: "model.safetensors",
} as const;

/** What a tfjs model doesn't say, but `predict` and people need. */
export const ModelFactsSchema = z
  .strictObject({
    formatVersion: z.literal(MODEL_FORMAT_VERSION),
    jobId: JobIdSchema,
    seed: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
    model: ModelSpecSchema,
    /** What the features went through in training, and must go through before a prediction. */
    transform: FeatureTransformSchema,
    /** By class number; null for real-valued targets. */
    classNames: z.array(z.string()).nullable(),
    /** 0-based column that held the label (the first one, for several targets) in training; null: it was not a table. */
    labelColumn: z.number().int().nonnegative().nullable(),
    /** What the training data's header called the features, in their order; absent: it had none, or is of a version that did not keep it. */
    featureNames: z.array(z.string()).optional(),
    /** SHA-256 over all trainable weights in layer order, little-endian float32. */
    weightsSha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** The same over the running statistics; absent where the model has none. */
    statisticsSha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  })
  .superRefine(({ model, transform, classNames, featureNames }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    const names = model.layers.map((layer) => layer.name);
    if (new Set(names).size !== names.length) refuse("model", "two layers have the same name");
    const outputs = outputsOf(model);
    if (model.targets.kind === "class") {
      const { classes } = model.targets;
      if (classNames?.length !== classes) {
        refuse("classNames", `${classNames?.length ?? 0} names for ${classes} classes`);
      }
      if (outputs !== classes && !(outputs === 1 && classes === 2)) {
        refuse("model", `${outputs} outputs can't tell ${classes} classes apart`);
      }
    } else {
      if (classNames !== null) refuse("classNames", "a model of real-valued targets has no classes");
      if (outputs !== model.targets.outputs) refuse("model", `${outputs} outputs for ${model.targets.outputs} targets`);
    }
    if (featureNames !== undefined && featureNames.length !== model.inputs) {
      refuse("featureNames", `${featureNames.length} names for ${model.inputs} inputs`);
    }
    if (transform.kind === "standardise") {
      const { mean, deviation } = transform;
      if (mean.length !== model.inputs || deviation.length !== model.inputs) {
        refuse("transform", `${mean.length} means and ${deviation.length} deviations for ${model.inputs} inputs`);
      }
    }
  });
export type ModelFacts = z.infer<typeof ModelFactsSchema>;
