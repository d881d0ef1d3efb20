import { beforeAll, describe, expect, it } from "vitest";
import type { OptimizerSpec } from "../../../../shared/model-spec.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { createOptimizer } from "../../../../worker/optimizer/create-optimizer.js";

const LENGTH = 64;
const SPECS: readonly OptimizerSpec[] = [
  { kind: "sgd", learningRate: 1e-3 },
  { kind: "momentum", learningRate: 1e-3, momentum: 0.9 },
  { kind: "nesterov", learningRate: 1e-3, momentum: 0.9 },
  { kind: "adam", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { kind: "adamw", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  { kind: "rmsprop", learningRate: 1e-3, decay: 0.9, epsilon: 1e-8 },
  { kind: "adagrad", learningRate: 1e-3, initialAccumulator: 0.1, epsilon: 1e-8 },
];

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compileKernels();
});

/** One update of parameters that are all 1 by sums that are all 2, but for what `change` does to them. */
function updated(spec: OptimizerSpec, change: (sums: Float32Array, parameters: Float32Array) => void) {
  const memory = new SharedMemory();
  const optimizer = createOptimizer(spec, instantiateKernels(module, memory.memory));
  const arena = (value: number) => {
    const address = memory.allocate(LENGTH * 4);
    memory.float32(address, LENGTH).fill(value);
    return address;
  };
  const copy = () => ({ parameters: arena(1), state: optimizer.initialState.map((value) => arena(value)) });
  const [current, next, sums] = [copy(), copy(), arena(2)];
  change(memory.float32(sums, LENGTH), memory.float32(current.parameters, LENGTH));
  const allFinite = optimizer.update({
    ...{ step: 1, current, next, sums, divisor: 10, learningRate: spec.learningRate },
    ...{ from: 0, length: LENGTH },
  });
  return { allFinite, parameters: memory.float32(next.parameters, LENGTH) };
}

describe.each(SPECS)("$kind tells whether what it wrote is finite", (spec) => {
  it("says so of finite parameters", () => {
    const { allFinite, parameters } = updated(spec, (sums) => sums.fill(-3e10, 5, 9));
    expect(allFinite).toBe(true);
    expect(parameters.every(Number.isFinite)).toBe(true);
  });

  it.each([Number.NaN, Infinity, -Infinity])(
    "sees a sum of %d in any lane, which leaves no finite parameter",
    (bad) => {
      for (const at of [0, 1, 2, 3, 17, LENGTH - 1]) {
        const { allFinite, parameters } = updated(spec, (sums) => {
          sums[at] = bad;
        });
        expect(allFinite).toBe(false);
        expect([...parameters.keys()].filter((index) => !Number.isFinite(parameters[index]))).toEqual([at]);
      }
    },
  );

  it("sees a parameter that was not finite before", () => {
    const { allFinite } = updated(spec, (_, parameters) => {
      parameters[30] = Infinity;
    });
    expect(allFinite).toBe(false);
  });
});
