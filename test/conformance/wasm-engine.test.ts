import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { toFailure } from "../../shared/failure.js";
import { openTfjsBackend } from "../../worker/engine/wasm/tfjs-backend.js";
import { WasmEngine } from "../../worker/engine/wasm/wasm-engine.js";
import { example, network } from "../support/tiny-networks.js";
import { engineSuite } from "./engine.suite.js";
import { layerSuite } from "./layer.suite.js";

function processListeners(): unknown[] {
  return [...process.listeners("uncaughtException"), ...process.listeners("unhandledRejection")];
}

/** What the very first start of the backend in this process did. */
const start = {
  backendBefore: "",
  listenersBefore: [] as unknown[],
  listenersAfter: [] as unknown[],
  said: [] as unknown[],
};

beforeAll(async () => {
  const spies = (["log", "info", "warn", "error"] as const).map((level) => vi.spyOn(console, level));
  start.backendBefore = tf.getBackend();
  start.listenersBefore = processListeners();
  await openTfjsBackend();
  start.listenersAfter = processListeners();
  start.said = spies.flatMap((spy) => spy.mock.calls);
  vi.restoreAllMocks();
});

layerSuite("wasm", { create: WasmEngine.create, tolerance: 1e-4 });
engineSuite("wasm", { create: WasmEngine.create, tolerance: 1e-5, arrival: "layer by layer" });

const MODEL = network({
  inputs: 12,
  hidden: [8, 8],
  hiddenActivation: "relu",
  outputs: 3,
  lastActivation: "softmax",
  loss: "softmaxCrossEntropy",
  targets: "class",
});

describe("engine wasm: tfjs", () => {
  it("holds no more tensors after a call than before, failed or not, and none once disposed", async () => {
    const { backend } = await openTfjsBackend();
    const given = example(MODEL, 10);
    const tensors = (): number => tf.memory().numTensors + backend.numDataIds();
    const atFirst = tensors();
    const engine = await WasmEngine.create(given.model, given.layout);
    engine.loadParameters(given.parameters);
    const loaded = tensors();
    expect(loaded).toBe(atFirst + 6);
    const arena = new Float32Array(given.layout.paddedLength);
    const counts: number[] = [];
    for (let i = 0; i < 4; i++) {
      await engine.evaluate(given.batch);
      await engine.predict(given.batch.x, 10);
      await expect(engine.predict(given.batch.x, 1000)).rejects.toThrow(/120 floats/);
      // The first backward pass keeps two transposed kernels for the replicas that follow.
      await engine.computeGradients(given.batch, { epoch: 1, step: i, replica: 0 }, arena);
      counts.push(tensors());
      engine.loadParameters(given.parameters);
      expect(tensors()).toBe(loaded);
    }
    expect(counts).toEqual(Array(4).fill(loaded + 2));
    await engine[Symbol.asyncDispose]();
    expect(tensors()).toBe(atFirst);
  });

  it("says what it is", async () => {
    const { layout } = example(MODEL, 1);
    await using engine = await WasmEngine.create(MODEL, layout);
    expect(engine.identity).toEqual({
      name: "wasm",
      version: expect.stringMatching(/^tfjs \d+\.\d+\.\d+$/),
      instructionSet: `wasm-simd/${process.arch}`,
    });
  });

  it("leaves errors of the process to the program, and the console silent", () => {
    expect(start.backendBefore).not.toBe("wasm");
    expect(start.listenersAfter).toEqual(start.listenersBefore);
    expect(start.said).toEqual([]);
  });
});

describe("engine wasm: what is missing has a name", () => {
  async function failureOf(work: Promise<unknown>): Promise<unknown> {
    return toFailure(await work.catch((error: unknown) => error));
  }

  it("refuses a machine without SIMD", async () => {
    tf.env().set("WASM_HAS_SIMD_SUPPORT", false);
    onTestFinished(() => tf.env().set("WASM_HAS_SIMD_SUPPORT", true));
    expect(await failureOf(openTfjsBackend())).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      engine: "wasm",
      problem: "this Node has no WebAssembly SIMD",
    });
  });

  // The last test: no backend is left afterwards.
  it("refuses to go on without its backend, rather than take another", async () => {
    tf.removeBackend("wasm");
    tf.registerBackend("other", () => new tf.KernelBackend());
    await tf.setBackend("other");
    const failure = await failureOf(openTfjsBackend());
    expect(failure).toMatchObject({ code: "ENGINE_UNAVAILABLE", engine: "wasm" });
    expect(failure).toMatchObject({ problem: expect.stringMatching(/tfjs can't start its wasm backend/) });
    expect(failure).toMatchObject({ remedy: "Install the packages again with npm ci" });
  });
});
