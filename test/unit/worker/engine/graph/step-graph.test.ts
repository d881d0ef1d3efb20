import { createHash } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { layoutOf } from "../../../../../shared/arena-layout.js";
import { encodeSavedModel } from "../../../../../worker/engine/graph/encode-saved-model.js";
import { SavedModelSchema } from "../../../../../worker/engine/graph/generated/saved_model_pb.js";
import { GraphBuilder } from "../../../../../worker/engine/graph/graph-builder.js";
import { conv2d, pool } from "../../../../../worker/engine/graph/image-operations.js";
import {
  biasAdd,
  binary,
  matMul,
  placeholder,
  reduce,
  reshape,
  unary,
} from "../../../../../worker/engine/graph/operations.js";
import { reversePass } from "../../../../../worker/engine/graph/reverse-pass.js";
import { compileStepGraph, type StepGraph } from "../../../../../worker/engine/graph/step-graph.js";
import { LAYER_MODELS } from "../../../../support/layer-examples.js";

describe("cross-entropy of softmax", () => {
  const [, model] = LAYER_MODELS[0]!;
  const fused = "SparseSoftmaxCrossEntropyWithLogits";
  const operations = (graph: StepGraph) => new Set(graph.nodes.map(({ op }) => op));

  it("is one operation, or composed of such as GPUs repeat to the bit", () => {
    expect(model.loss).toBe("softmaxCrossEntropy");
    expect(operations(compileStepGraph(model, layoutOf(model))).has(fused)).toBe(true);
    const composed = operations(compileStepGraph(model, layoutOf(model), { crossEntropy: "composed" }));
    expect(composed.has(fused)).toBe(false);
    expect(composed.has("LogSoftmax")).toBe(true);
  });
});

describe("a relu that maximum pooling follows", () => {
  const gradientsOf = (title: string) => {
    const model = LAYER_MODELS.find(([name]) => name === title)![1];
    const { nodes } = compileStepGraph(model, layoutOf(model));
    return nodes.filter(({ op }) => op === "ReluGrad").map(({ outputs }) => outputs[0]?.shape);
  };

  it("has its gradient taken where the pooled numbers are", () => {
    expect(gradientsOf("relu, then maxPool twice")).toEqual([[-1, 3, 3, 3]]);
    expect(gradientsOf("batchNorm, relu, then maxPool")).toEqual([[-1, 2, 2, 3]]);
  });

  it("has it taken once more where others take its numbers too", () => {
    expect(gradientsOf("maxPool of a relu that a shortcut leads from")).toEqual([
      [-1, 1, 1, 3],
      [-1, 3, 3, 3],
    ]);
  });
});

it("gradients of a bias are of a matrix, which TensorFlow does not merge with the kernel's", () => {
  const model = LAYER_MODELS.find(([title]) => title === "two conv2d")![1];
  const { nodes } = compileStepGraph(model, layoutOf(model));
  const gradients = nodes.filter(({ op }) => op === "BiasAddGrad");
  expect(gradients.map(({ inputs }) => inputs[0]?.shape.length)).toEqual([2, 2, 2]);
});

it("gradients of a bias that is pooled are summed before pooling spreads them", () => {
  const model = LAYER_MODELS.find(([title]) => title === "relu, then maxPool twice")![1];
  const { nodes } = compileStepGraph(model, layoutOf(model));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const summed = nodes
    .filter(({ op }) => op === "BiasAddGrad")
    .map(({ inputs }) => byName.get(inputs[0]!.name))
    .find((node) => node?.op === "Reshape");
  // The pool behind the relu leaves 3 × 3 of 6 × 7 places.
  expect(summed?.inputs[0]?.shape).toEqual([-1, 3, 3, 3]);
});

describe("graph operations", () => {
  const graph = () => new GraphBuilder();

  it("give the shapes that come out, with rows left open", () => {
    const g = graph();
    const x = placeholder(g, "x", "float32", [-1, 7, 6, 2]);
    const kernel = placeholder(g, "k", "float32", [3, 3, 2, 4]);
    expect(conv2d(g, x, kernel, { stride: [2, 1], padding: "same" }).shape).toEqual([-1, 4, 6, 4]);
    expect(conv2d(g, x, kernel, { stride: [2, 1], padding: "valid" }).shape).toEqual([-1, 3, 4, 4]);
    expect(pool(g, x, { op: "MaxPool", window: [2, 2], stride: [2, 2], padding: "valid" }).shape).toEqual([
      -1, 3, 3, 2,
    ]);
    expect(reshape(g, x, [-1, 84]).shape).toEqual([-1, 84]);
    expect(reduce(g, "Sum", x, { axes: [1, 2], keep: true }).shape).toEqual([-1, 1, 1, 2]);
  });

  it("refuse what does not fit, by name", () => {
    const g = graph();
    const a = placeholder(g, "a", "float32", [-1, 3]);
    const b = placeholder(g, "b", "float32", [4, 5]);
    const d = placeholder(g, "d", "float64", [-1, 3]);
    expect(() => matMul(g, a, b)).toThrow("MatMul can't take a: float32 [-1, 3] and b: float32 [4, 5]");
    expect(() => biasAdd(g, a, b)).toThrow("BiasAdd can't take a");
    expect(() => binary(g, "Sub", a, d)).toThrow("Sub can't take a: float32 [-1, 3] and d: float64 [-1, 3]");
    expect(() => reduce(g, "Sum", a, { axes: [2] })).toThrow("Sum along 2 can't take a");
    expect(() => reshape(g, b, [3, 7])).toThrow("Reshape to [3, 7] can't take b");
    expect(() => placeholder(g, "a", "float32", [])).toThrow("the graph has a node a already");
  });

  it("refuse to differentiate what has no rule, and leave alone what nobody asks for", () => {
    const g = graph();
    const w = placeholder(g, "w", "float32", [2, 2]);
    const x = placeholder(g, "x", "float32", [-1, 2]);
    const y = unary(g, "Abs", matMul(g, x, w));
    const seed = { of: y, gradient: placeholder(g, "dy", "float32", [-1, 2]) };
    expect(() => reversePass(g, [seed], [w])).toThrow("there is no gradient rule for Abs (node Abs)");
    expect(reversePass(g, [seed], []).size).toBe(0);
  });

  it("add gradients that meet, and make none for the rows", () => {
    const g = graph();
    const w = placeholder(g, "w", "float32", [2, 2]);
    const x = placeholder(g, "x", "float32", [-1, 2]);
    const y = binary(g, "AddV2", matMul(g, x, w), matMul(g, x, w));
    const before = g.nodes.length;
    const gradients = reversePass(g, [{ of: y, gradient: placeholder(g, "dy", "float32", [-1, 2]) }], [w]);
    expect(gradients.get("w")?.shape).toEqual([2, 2]);
    expect(g.nodes.slice(before).map(({ op }) => op)).toEqual(["Placeholder", "MatMul", "MatMul", "AddV2"]);
  });
});

describe("step graphs", () => {
  it.each(LAYER_MODELS)(
    "%s: nodes come after their inputs, gradients have the shapes of their parameters",
    (_, model) => {
      const layout = layoutOf(model);
      const { nodes, gradients, tensors } = compileStepGraph(model, layout);
      const known = new Set<string>();
      for (const { inputs, after, outputs, name } of nodes) {
        for (const input of inputs) expect(known, `input of ${name}`).toContain(input.name);
        for (const node of after) expect(known).toContain(node);
        for (const output of outputs) known.add(output.name);
      }
      expect(gradients.map(({ shape }) => shape)).toEqual(tensors.map(({ shape }) => shape));
      expect(tensors).toHaveLength(layout.slots.length + layout.statistics.length);
    },
  );

  it("refuse a layout of another model", () => {
    const modelOf = (wanted: string) => {
      const [, model] = LAYER_MODELS.find(([name]) => name === wanted) ?? [];
      if (model === undefined) throw new RangeError(`there is no example ${wanted}`);
      return model;
    };
    const first = modelOf("conv2d");
    expect(() => compileStepGraph(first, layoutOf(modelOf("two conv2d")))).toThrow(
      "the arena has no conv/kernel: it was laid out for another model",
    );
    expect(() => compileStepGraph(first, layoutOf(modelOf("conv2d, 1×1, softmax")))).toThrow(
      "the arena has another shape for conv/kernel: it was laid out for another model",
    );
  });

  it("are encoded to the same bytes each time, readable as a SavedModel with three signatures", () => {
    const [, model] = LAYER_MODELS[0]!;
    const encode = () => encodeSavedModel(compileStepGraph(model, layoutOf(model)));
    const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(hash(encode())).toBe(hash(encode()));
    const [graph] = fromBinary(SavedModelSchema, encode()).metaGraphs;
    expect(graph?.metaInfoDef?.tags).toEqual(["serve"]);
    expect(Object.keys(graph?.signatureDef ?? {})).toEqual(["step", "evaluate", "predict"]);
    expect(Object.keys(graph?.signatureDef["predict"]?.inputs ?? {})).toEqual([
      "x",
      "tensor_0",
      "tensor_1",
      "tensor_2",
      "tensor_3",
    ]);
    const x = graph?.graphDef?.node.find(({ name }) => name === "x");
    expect(x?.attr["shape"]?.value).toMatchObject({
      value: { dim: [{ size: -1n }, { size: 6n }, { size: 5n }, { size: 2n }] },
    });
  });
});
