import { createHash } from "node:crypto";
import { z } from "zod";
import { RingstrasseError } from "../../../shared/failure.js";
import { ActivationSchema, type ModelSpec, parametersOf } from "../../../shared/model-spec.js";

const positive = z.number().int().positive();
const tensor = z.strictObject({
  /** Kernel `[inputs, units]` (with shortcuts, the rows for their sources follow those for the previous layer, in their order) or `[height, width, channels, filters]`, row-major; bias `[units]`. */
  shape: z.array(positive).min(1).max(4),
  /** Base64 of little-endian float32; null: in `file`. */
  data: z.base64().nullable(),
});

/** What the text of a `<weightmatrix>` says, as JSON. */
export const WeightMatrixSchema = z.strictObject({
  format: z.literal("ringstrasse-weights/1"),
  encoding: z.literal("base64 float32 little-endian"),
  inputs: positive,
  /** Input to output, without the layers that have no weights. Batch normalisation: gamma as kernel, beta as bias. */
  layers: z
    .array(z.strictObject({ block: z.string(), activation: ActivationSchema, kernel: tensor, bias: tensor }))
    .min(1),
  /** Over the data of all tensors, in the order kernel, bias, layer by layer. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Where the weights are that aren't here; null: nowhere. */
  file: z.string().nullable(),
});
export type WeightMatrix = z.infer<typeof WeightMatrixSchema>;

export interface WeightMatrixInput {
  readonly model: ModelSpec;
  /** All trainable tensors in layer order, without padding, little-endian float32. */
  readonly weights: Uint8Array;
  readonly file: string | null;
  /** Above this many bytes of weights only shapes, hash and file are told. */
  readonly maxSizeBytes: number;
}

/**
 * The text of a `<weightmatrix>`: exact, 1.34 characters per byte. Pure; O(weights).
 * @throws RangeError when weights and model don't fit: a mistake of the caller.
 */
export function encodeWeightMatrix({ model, weights, file, maxSizeBytes }: WeightMatrixInput): string {
  const isHere = weights.byteLength <= maxSizeBytes;
  let offset = 0;
  const next = (shape: readonly number[]) => {
    const sizeBytes = 4 * shape.reduce((product, size) => product * size, 1);
    const data = isHere ? Buffer.from(weights.subarray(offset, offset + sizeBytes)).toString("base64") : null;
    offset += sizeBytes;
    return { shape: [...shape], data };
  };
  const parameters = parametersOf(model);
  const layers = model.layers.flatMap((layer, index) => {
    const [kernel, bias] = parameters.filter((parameter) => parameter.layer === index);
    if (kernel === undefined || bias === undefined) return [];
    const activation = "activation" in layer ? layer.activation : "linear";
    return [{ block: layer.name, activation, kernel: next(kernel.shape), bias: next(bias.shape) }];
  });
  if (offset !== weights.byteLength) {
    throw new RangeError(`${weights.byteLength} bytes of weights for a model of ${offset}`);
  }
  const matrix: WeightMatrix = {
    format: "ringstrasse-weights/1",
    encoding: "base64 float32 little-endian",
    inputs: model.inputs,
    layers,
    sha256: createHash("sha256").update(weights).digest("hex"),
    file: isHere ? null : file,
  };
  return JSON.stringify(matrix);
}

/** A `<weightmatrix>`, read and checked. */
export interface DecodedWeights {
  readonly matrix: WeightMatrix;
  /** As given to {@link encodeWeightMatrix}; null: they are in `matrix.file`. */
  readonly weights: Uint8Array | null;
}

/**
 * Reads what {@link encodeWeightMatrix} wrote. Pure; O(weights).
 * @param elementPath for messages
 * @throws RingstrasseError DOCUMENT_INVALID: another format, sizes that don't fit, or a wrong hash
 */
export function decodeWeightMatrix(text: string, elementPath: string): DecodedWeights {
  const parsed = WeightMatrixSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(
      elementPath,
      `the weight matrix is not of the format ringstrasse-weights/1 (${issue?.message ?? ""})`,
    );
  }
  const matrix = parsed.data;
  const tensors = matrix.layers.flatMap(({ kernel, bias }) => [kernel, bias]);
  if (tensors.some(({ data }) => data === null)) return { matrix, weights: null };
  const pieces = tensors.map(({ shape, data }) => {
    const bytes = Buffer.from(data ?? "", "base64");
    const expected = 4 * shape.reduce((product, size) => product * size, 1);
    if (bytes.byteLength === expected) return bytes;
    throw invalid(elementPath, `a tensor of shape ${shape.join(" × ")} has ${bytes.byteLength} bytes, not ${expected}`);
  });
  const weights = new Uint8Array(Buffer.concat(pieces));
  if (createHash("sha256").update(weights).digest("hex") === matrix.sha256) return { matrix, weights };
  throw invalid(elementPath, "the weights are not those that the hash was taken of");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is no matrix: the schema says so, with the place.
    return undefined;
  }
}

function invalid(elementPath: string, problem: string): RingstrasseError {
  return new RingstrasseError({
    code: "DOCUMENT_INVALID",
    file: null,
    line: null,
    column: null,
    elementPath,
    problem,
    remedy: "Give the text that an instance of this service holds, unchanged",
  });
}
