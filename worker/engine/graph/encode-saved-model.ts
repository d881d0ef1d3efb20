import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AttrValueSchema,
  DataType,
  type NodeDefSchema,
  SavedModelSchema,
  type SignatureDefSchema,
  type TensorShapeProtoSchema,
} from "./generated/saved_model_pb.js";
import type { AttributeValue, ElementType, GraphNode, GraphTensor } from "./graph-node.js";
import type { StepGraph } from "./step-graph.js";

/** The tag to load the graph by. */
export const SAVED_MODEL_TAG = "serve";
/** The name that TensorFlow wants the file to have. */
export const SAVED_MODEL_FILE = "saved_model.pb";
/** Of TensorFlow 2.9, the oldest that reads these graphs: an operation means what it meant then. */
const PRODUCER = 1087;

const DATA_TYPES: Readonly<Record<ElementType, DataType>> = {
  float32: DataType.DT_FLOAT,
  float64: DataType.DT_DOUBLE,
  bfloat16: DataType.DT_BFLOAT16,
  int32: DataType.DT_INT32,
  int64: DataType.DT_INT64,
  bool: DataType.DT_BOOL,
};

/** The bytes of a `saved_model.pb` with the signatures `step`, `evaluate` and `predict`. Pure: a graph always has the same bytes. */
export function encodeSavedModel(graph: StepGraph): Uint8Array<ArrayBuffer> {
  const { x, targets, tensors, masks, gradients } = graph;
  const training = [x, targets, ...tensors, ...masks.map(({ tensor }) => tensor)];
  const model = create(SavedModelSchema, {
    savedModelSchemaVersion: 1n,
    metaGraphs: [
      {
        metaInfoDef: { tags: [SAVED_MODEL_TAG] },
        graphDef: { node: graph.nodes.map(encodeNode), versions: { producer: PRODUCER } },
        signatureDef: {
          step: signature(training, [graph.sums, ...gradients]),
          evaluate: signature([x, targets, ...tensors], [graph.evaluation]),
          predict: signature([x, ...tensors], [graph.outputs]),
        },
      },
    ],
  });
  return toBinary(SavedModelSchema, model);
}

function encodeNode({ name, op, inputs, after, attributes }: GraphNode): MessageInitShape<typeof NodeDefSchema> {
  const attr = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, encodeAttribute(value)]));
  return { name, op, input: [...inputs.map((input) => input.name), ...after.map((node) => `^${node}`)], attr };
}

function encodeAttribute(attribute: AttributeValue): MessageInitShape<typeof AttrValueSchema> {
  switch (attribute.kind) {
    case "type":
      return { value: { case: "type", value: DATA_TYPES[attribute.value] } };
    case "shape":
      return { value: { case: "shape", value: encodeShape(attribute.value) } };
    case "bool":
      return { value: { case: "b", value: attribute.value } };
    case "int":
      return { value: { case: "i", value: BigInt(attribute.value) } };
    case "float":
      return { value: { case: "f", value: attribute.value } };
    case "string":
      return { value: { case: "s", value: new TextEncoder().encode(attribute.value) } };
    case "ints":
      return { value: { case: "list", value: { i: attribute.value.map(BigInt) } } };
    case "tensor": {
      const { type, shape, bytes } = attribute;
      const tensor = { dtype: DATA_TYPES[type], tensorShape: encodeShape(shape), tensorContent: bytes };
      return { value: { case: "tensor", value: tensor } };
    }
  }
}

function encodeShape(shape: readonly number[]): MessageInitShape<typeof TensorShapeProtoSchema> {
  return { dim: shape.map((size) => ({ size: BigInt(size) })) };
}

function signature(
  inputs: readonly GraphTensor[],
  outputs: readonly GraphTensor[],
): MessageInitShape<typeof SignatureDefSchema> {
  const described = (tensors: readonly GraphTensor[]) =>
    Object.fromEntries(
      tensors.map(({ name, type, shape }) => {
        const encoding = { case: "name", value: `${name}:0` } as const;
        return [name, { encoding, dtype: DATA_TYPES[type], tensorShape: encodeShape(shape) }];
      }),
    );
  return { inputs: described(inputs), outputs: described(outputs), methodName: "tensorflow/serving/predict" };
}
