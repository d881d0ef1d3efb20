import { createRequire } from "node:module";
import { z } from "zod";
import type { EngineDevice } from "../../shared/engine-store/engine-release.js";
import { LEFT_ELEMENT, type MatrixProduct, RIGHT_ELEMENT } from "./matrix-product.js";

/** What is used of @tensorflow/tfjs-node's binding. Tensors are numbers that it gives; each has to be deleted. */
interface TensorFlowBinding {
  readonly ["TF_Version"]: string;
  readonly ["TF_FLOAT"]: number;
  readonly ["TF_ATTR_BOOL"]: number;
  readonly ["TF_ATTR_TYPE"]: number;
  isUsingGpuDevice(): boolean;
  createTensor(shape: readonly number[], type: number, values: Float32Array): number;
  executeOp(
    name: string,
    attributes: readonly { readonly name: string; readonly type: number; readonly value: unknown }[],
    inputs: readonly number[],
    outputCount: number,
  ): { readonly id: number }[];
  tensorDataSync(id: number): Float32Array;
  deleteTensor(id: number): void;
}

const callable = z.custom<(...args: never[]) => unknown>((value) => typeof value === "function");
const BindingSchema = z.object({
  ["TF_Version"]: z.string(),
  ["TF_FLOAT"]: z.number(),
  ["TF_ATTR_BOOL"]: z.number(),
  ["TF_ATTR_TYPE"]: z.number(),
  isUsingGpuDevice: callable,
  createTensor: callable,
  executeOp: callable,
  tensorDataSync: callable,
  deleteTensor: callable,
});

function isBinding(loaded: unknown): loaded is TensorFlowBinding {
  return BindingSchema.safeParse(loaded).success;
}

const CPU_SIZE = 1024;
const GPU_SIZE = 4096;

/**
 * Loads a binding and its libraries into this process, for good. @throws whatever the loader throws; TypeError for
 * another module
 */
export function openNativeProduct(bindingPath: string, device: EngineDevice): MatrixProduct {
  const binding: unknown = createRequire(import.meta.url)(bindingPath);
  if (!isBinding(binding)) throw new TypeError(`${bindingPath} is not tfjs-node's binding`);
  const used = device === "gpu" && binding.isUsingGpuDevice() ? "gpu" : "cpu";
  const size = used === "gpu" ? GPU_SIZE : CPU_SIZE;
  const matrix = (value: number): number =>
    binding.createTensor([size, size], binding.TF_FLOAT, new Float32Array(size * size).fill(value));
  const inputs = [matrix(LEFT_ELEMENT), matrix(RIGHT_ELEMENT)];
  const attributes = [
    { name: "transpose_a", type: binding.TF_ATTR_BOOL, value: false },
    { name: "transpose_b", type: binding.TF_ATTR_BOOL, value: false },
    { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
  ];
  const multiplyOnce = (): number => {
    const [output] = binding.executeOp("MatMul", attributes, inputs, 1);
    if (output === undefined) throw new TypeError("MatMul gave no tensor");
    return output.id;
  };
  return {
    version: binding.TF_Version,
    device: used,
    size,
    multiply: (count) => {
      for (let left = count - 1; left > 0; left--) binding.deleteTensor(multiplyOnce());
      const last = multiplyOnce();
      // Waits for a GPU, which has only been told what to do so far.
      const values = binding.tensorDataSync(last);
      binding.deleteTensor(last);
      return Promise.resolve(values.at(-1) ?? Number.NaN);
    },
    [Symbol.asyncDispose]: () => {
      for (const input of inputs) binding.deleteTensor(input);
      return Promise.resolve();
    },
  };
}
