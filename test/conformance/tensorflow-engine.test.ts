import process from "node:process";
import { describe, expect, it } from "vitest";
import { hashTensors, layoutOf } from "../../shared/arena-layout.js";
import { toFailure } from "../../shared/failure.js";
import type { ModelSpec } from "../../shared/model-spec.js";
import type { CreateEngine } from "../../worker/engine/engine.js";
import { encodeSavedModel } from "../../worker/engine/graph/encode-saved-model.js";
import { compileStepGraph, type StepGraphOptions } from "../../worker/engine/graph/step-graph.js";
import { loadNativeBinding, type NativeLocation } from "../../worker/engine/tensorflow/native-binding.js";
import { NativeSession, programOf } from "../../worker/engine/tensorflow/native-session.js";
import { tensorflowEngine } from "../../worker/engine/tensorflow/tensorflow-engine.js";
import { WasmEngine } from "../../worker/engine/wasm/wasm-engine.js";
import { SharedMemory } from "../../worker/kernels/shared-memory.js";
import { LAYER_MODELS, layerExample } from "../support/layer-examples.js";
import { nativeEngine } from "../support/native-engine.js";
import { relativeDifference } from "../support/reference-mlp.js";
import { engineSuite } from "./engine.suite.js";
import { layerSuite } from "./layer.suite.js";

const location = await nativeEngine();

if (location === null) {
  describe("engine tensorflow", () => {
    it.skip("does what every engine must do (needs ringstrasse engine install cpu)");
  });
} else {
  const create = tensorflowEngine(location);
  layerSuite("tensorflow", { create, tolerance: 1e-4 });
  engineSuite("tensorflow", { create, tolerance: 1e-5, arrival: "at once" });
  agreementSuite(create);
  stepGraphSuite(location);
  memorySuite(create, location);
}

/** Parameters after 20 steps of gradient descent, rows drawn anew in each. */
async function trained(create: CreateEngine, model: ModelSpec): Promise<Float32Array> {
  const { layout, parameters } = layerExample(model, 1);
  await using engine = await create(model, layout, { seed: 5 });
  const gradients = new Float32Array(layout.paddedLength);
  for (let step = 1; step <= 20; step++) {
    const { batch } = layerExample(model, 16, step);
    engine.loadParameters(parameters);
    await engine.computeGradients(batch, { epoch: 1, step, replica: 0 }, gradients);
    for (let i = 0; i < layout.trainableLength; i++) parameters[i] = parameters[i]! - (0.05 / 16) * gradients[i]!;
  }
  return parameters;
}

function agreementSuite(create: CreateEngine): void {
  describe("engines tensorflow and wasm", () => {
    it.each(LAYER_MODELS)("agree after 20 steps: %s", async (_, model) => {
      const [native, wasm] = [await trained(create, model), await trained(WasmEngine.create, model)];
      for (const { name, offset, length } of layoutOf(model).slots) {
        const [a, b] = [native, wasm].map((all) => all.subarray(offset, offset + length));
        const difference = relativeDifference(a!, b!);
        if (!(difference <= 1e-4)) expect.fail(`${name} differs by ${difference}`);
      }
    });
  });
}

/** The sums of a step and its gradients, one after the other, by a graph of its own. */
async function computed(location: NativeLocation, model: ModelSpec, options: StepGraphOptions): Promise<number[][]> {
  const { layout, parameters, batch } = layerExample(model, 16);
  const graph = compileStepGraph(model, layout, options);
  const binding = loadNativeBinding(location, 1);
  using session = await NativeSession.open(binding, location, encodeSavedModel(graph));
  const classes = batch.targets.kind === "class" ? Int32Array.from(batch.targets.classes) : new Int32Array(16);
  const fed = [
    binding.createTensor([16, ...graph.x.shape.slice(1)], binding.TF_FLOAT, batch.x),
    binding.createTensor([16], binding.TF_INT32, classes),
    ...layout.slots.map(({ shape, offset, length }) =>
      binding.createTensor(shape, binding.TF_FLOAT, parameters.slice(offset, offset + length)),
    ),
  ];
  const step = programOf([graph.x, graph.targets, ...graph.tensors], [graph.sums, ...graph.gradients]);
  const [sums, ...gradients] = session.run(step, fed).map((id) => session.take(id));
  for (const id of fed) binding.deleteTensor(id);
  return [[...new Float64Array(sums!.buffer)], ...gradients.map((values) => [...values])];
}

function stepGraphSuite(location: NativeLocation): void {
  const models = LAYER_MODELS.filter(
    ([, model]) =>
      model.loss === "softmaxCrossEntropy" &&
      model.layers.every(({ kind }) => kind !== "dropout" && kind !== "batchNorm"),
  );

  describe("products in bfloat16", () => {
    it.each(models)("give nearly what those in float32 give, and not the same: %s", async (_, model) => {
      const [wide, narrow] = [
        await computed(location, model, {}),
        await computed(location, model, { precision: "bfloat16" }),
      ];
      const [loss = Number.NaN] = narrow[0]!;
      expect(Math.abs(loss / wide[0]![0]! - 1)).toBeLessThan(0.02);
      // Eight bits of each factor, through several layers.
      const gradients = (all: number[][]) => Float64Array.from(all.slice(1).flat());
      const difference = relativeDifference(gradients(narrow), gradients(wide));
      expect(difference).toBeLessThan(0.05);
      expect(difference).toBeGreaterThan(1e-5);
      expect(await computed(location, model, { precision: "bfloat16" })).toEqual(narrow);
    });
  });

  describe("cross-entropy composed for GPUs", () => {
    it.each(models)("gives what the fused one gives: %s", async (_, model) => {
      const [fused, composed] = [
        await computed(location, model, {}),
        await computed(location, model, { crossEntropy: "composed" }),
      ];
      for (const [index, values] of composed.entries()) {
        const difference = relativeDifference(Float64Array.from(values), Float64Array.from(fused[index]!));
        expect(difference).toBeLessThan(1e-6);
      }
    });
  });
}

function memorySuite(create: CreateEngine, location: NativeLocation): void {
  const model = LAYER_MODELS.find(([name]) => name === "two conv2d")![1];

  /** Arenas as workers have them: in one shared memory, aligned. */
  function shared(count: number, length: number): Float32Array[] {
    const memory = new SharedMemory();
    const addresses = Array.from({ length: count }, () => memory.allocate(length * 4));
    return addresses.map((address) => memory.float32(address, length));
  }

  describe("engine tensorflow: memory", () => {
    it("looks at parameters and writes gradients in shared memory in place, with the bits of a copy", async () => {
      const { layout, parameters, batch } = layerExample(model, 10);
      const [first, second, into] = shared(3, layout.paddedLength) as [Float32Array, Float32Array, Float32Array];
      const reports: string[] = [];
      await using engine = await create(model, layout, { report: (text) => reports.push(text) });
      const position = { epoch: 1, step: 1, replica: 0 };
      const hashes: string[] = [];
      for (const scale of [1, 0.5]) {
        const copy = parameters.map((value) => value * scale);
        for (const arena of [first, second]) {
          arena.set(copy);
          into.fill(7);
          engine.loadParameters(arena);
          expect(arena).toEqual(new Float32Array(copy));
          await engine.computeGradients(batch, position, into);
          hashes.push(hashTensors(layout, into));
        }
        const plain = new Float32Array(layout.paddedLength);
        engine.loadParameters(copy);
        await engine.computeGradients(batch, position, plain);
        hashes.push(hashTensors(layout, plain));
      }
      expect(hashes.map((hash) => hashes.indexOf(hash))).toEqual([0, 0, 0, 3, 3, 3]);
      for (const [i, { offset, length }] of layout.slots.entries()) {
        const end = layout.slots[i + 1]?.offset ?? layout.paddedLength;
        expect(into.subarray(offset + length, end).every((value) => value === 7)).toBe(true);
      }
      expect(reports).toEqual([]);
    });

    it("sees a change in shared parameters only after they are loaded again, or at once: never a mixture", async () => {
      const { layout, parameters, batch } = layerExample(model, 10);
      const [arena] = shared(1, layout.paddedLength) as [Float32Array];
      await using engine = await create(model, layout);
      arena.set(parameters);
      engine.loadParameters(arena);
      const before = await engine.evaluate(batch);
      arena.fill(0);
      engine.loadParameters(arena);
      const zero = await engine.evaluate(batch);
      expect(zero.lossSum).toBeCloseTo(10 * Math.log(3), 10);
      arena.set(parameters);
      engine.loadParameters(arena);
      expect(await engine.evaluate(batch)).toEqual(before);
    });

    it("copies from and to memory that is not aligned", async () => {
      const { layout, parameters, batch } = layerExample(model, 10);
      const memory = new SharedMemory();
      const [from, to] = [4, 12].map((shift) =>
        memory.float32(memory.allocate(layout.paddedLength * 4 + 64) + shift, layout.paddedLength),
      );
      await using engine = await create(model, layout);
      const position = { epoch: 1, step: 1, replica: 0 };
      from!.set(parameters);
      engine.loadParameters(from!);
      await engine.computeGradients(batch, position, to!);
      const plain = new Float32Array(layout.paddedLength);
      engine.loadParameters(parameters);
      await engine.computeGradients(batch, position, plain);
      expect(hashTensors(layout, to!)).toBe(hashTensors(layout, plain));
    });

    it("stays flat over many steps, evaluations and failures, and is given back", async () => {
      const binding = loadNativeBinding(location, 1);
      const atFirst = binding.getNumOfTensors();
      const { layout, parameters, batch } = layerExample(model, 10);
      const [arena, into] = shared(2, layout.paddedLength) as [Float32Array, Float32Array];
      const engine = await create(model, layout);
      arena.set(parameters);
      const steps = async (count: number): Promise<void> => {
        for (let step = 1; step <= count; step++) {
          engine.loadParameters(arena);
          await engine.computeGradients(batch, { epoch: 1, step, replica: 0 }, into);
        }
        await engine.evaluate(batch);
        await engine.predict(batch.x, 10);
        await expect(engine.predict(batch.x, 11)).rejects.toThrow(/490 floats are no 11 rows of 49/);
      };
      await steps(200);
      const [tensors, bytes] = [binding.getNumOfTensors(), process.memoryUsage.rss()];
      await steps(1500);
      expect(binding.getNumOfTensors()).toBe(tensors);
      // 1,500 leaked steps would be more than 30 MB of rows, parameters and gradients alone.
      expect(process.memoryUsage.rss() - bytes).toBeLessThan(24 * 2 ** 20);
      await engine[Symbol.asyncDispose]();
      expect(binding.getNumOfTensors()).toBe(atFirst);
    });

    it("says what it is, and refuses another number of threads in the same process", async () => {
      const { layout } = layerExample(model, 1);
      await using engine = await create(model, layout);
      expect(engine.identity).toEqual({
        name: "tensorflow",
        version: expect.stringMatching(/^TensorFlow \d+\.\d+\.\d+/),
        instructionSet: expect.stringContaining(process.arch),
      });
      const failure = toFailure(await create(model, layout, { threads: 2 }).catch((error: unknown) => error));
      expect(failure).toMatchObject({
        code: "ENGINE_UNAVAILABLE",
        engine: "tensorflow",
        problem: expect.stringMatching(/computes with 1 threads already, the job asks for 2/),
        remedy: expect.stringMatching(/Start the worker anew/),
      });
    });
  });
}
