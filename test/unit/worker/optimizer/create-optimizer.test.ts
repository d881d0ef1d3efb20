import { beforeAll, describe, expect, it } from "vitest";
import type { OptimizerSpec } from "../../../../shared/model-spec.js";
import { OPTIMIZER_STATE } from "../../../../shared/optimizer-state.js";
import { RandomStream } from "../../../../shared/random/random-stream.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { createOptimizer } from "../../../../worker/optimizer/create-optimizer.js";
import type { Optimizer } from "../../../../worker/optimizer/optimizer.js";
import { referenceOptimizer, relativeDifference } from "../../../support/reference-mlp.js";

const LENGTH = 112;
const COUNT = 29;
const SPECS: OptimizerSpec[] = [
  { kind: "sgd", learningRate: 0.05 },
  { kind: "momentum", learningRate: 0.02, momentum: 0.9 },
  { kind: "nesterov", learningRate: 0.02, momentum: 0.9 },
  { kind: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  { kind: "adamw", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.1 },
  { kind: "rmsprop", learningRate: 0.01, decay: 0.9, epsilon: 1e-7 },
  { kind: "adagrad", learningRate: 0.05, initialAccumulator: 0.1, epsilon: 1e-7 },
];

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compileKernels();
});

/** A double-buffered set of arenas, one optimizer on it. */
class Bench {
  readonly memory = new SharedMemory();
  optimizer: Optimizer;
  readonly #spec: OptimizerSpec;
  readonly #sums = this.memory.allocate(LENGTH * 4);
  readonly #copies: { parameters: number; state: number[] }[];
  #current = 0;

  constructor(spec: OptimizerSpec) {
    this.#spec = spec;
    this.optimizer = this.restart();
    const copy = (): { parameters: number; state: number[] } => ({
      parameters: this.memory.allocate(LENGTH * 4),
      state: this.optimizer.stateNames.map(() => this.memory.allocate(LENGTH * 4)),
    });
    this.#copies = [copy(), copy()];
    for (const { state } of this.#copies) {
      for (const [i, address] of state.entries()) {
        this.memory.float32(address, LENGTH).fill(this.optimizer.initialState[i]!);
      }
    }
  }

  /** As after a resume: a fresh object, the arenas as they are. */
  restart(): Optimizer {
    this.optimizer = createOptimizer(this.#spec, instantiateKernels(module, this.memory.memory));
    return this.optimizer;
  }

  get parameters(): Float32Array {
    return this.memory.float32(this.#copies[this.#current]!.parameters, LENGTH);
  }

  get state(): Float32Array[] {
    return this.#copies[this.#current]!.state.map((address) => this.memory.float32(address, LENGTH));
  }

  update(step: number, sums: Float32Array, blocks: readonly number[] = [LENGTH]): void {
    this.memory.float32(this.#sums, LENGTH).set(sums);
    const [current, next] = [this.#copies[this.#current]!, this.#copies[1 - this.#current]!];
    // What the last but one step left there must not show through.
    for (const address of [next.parameters, ...next.state]) this.memory.float32(address, LENGTH).fill(Number.NaN);
    let from = 0;
    for (const length of blocks) {
      const request = { step, current, next, sums: this.#sums, divisor: COUNT, from, length };
      this.optimizer.update({ ...request, learningRate: this.#spec.learningRate });
      from += length;
    }
    this.#current = 1 - this.#current;
  }
}

function gradientSums(random: RandomStream): Float32Array {
  return Float32Array.from({ length: LENGTH }, () => COUNT * (2 * random.nextFloat() - 0.9));
}

describe.each(SPECS)("$kind", (spec) => {
  it("follows the float64 formula for 50 steps", () => {
    const bench = new Bench(spec);
    const random = new RandomStream({ seed: 3, purpose: 6 });
    for (let i = 0; i < LENGTH; i++) bench.parameters[i] = 2 * random.nextFloat() - 1;
    const reference = [Float64Array.from(bench.parameters)];
    const update = referenceOptimizer(spec);
    for (let step = 1; step <= 50; step++) {
      const sums = gradientSums(random);
      bench.update(step, sums);
      update(reference, [Float64Array.from(sums, (sum) => sum / COUNT)]);
      expect(relativeDifference(bench.parameters, reference[0]!)).toBeLessThan(1e-5);
    }
  });

  it("gives the same bits block by block, and when resumed at any step", () => {
    const [whole, pieces] = [new Bench(spec), new Bench(spec)];
    const random = new RandomStream({ seed: 4, purpose: 6 });
    for (let step = 1; step <= 12; step++) {
      const sums = gradientSums(random);
      whole.update(step, sums);
      if (step % 5 === 0) pieces.restart();
      pieces.update(step, sums, [16, 64, 32]);
    }
    expect(pieces.parameters).toEqual(whole.parameters);
    expect(pieces.state).toEqual(whole.state);
    expect(whole.parameters.every((value) => value !== 0)).toBe(true);
  });

  it("names its state and leaves padding at zero", () => {
    const bench = new Bench(spec);
    expect(bench.optimizer.stateNames).toEqual(OPTIMIZER_STATE[spec.kind]);
    expect(bench.optimizer.initialState).toEqual(
      spec.kind === "adagrad" ? [spec.initialAccumulator] : bench.optimizer.stateNames.map(() => 0),
    );
    for (const arena of bench.state) arena.fill(0);
    for (let step = 1; step <= 3; step++) bench.update(step, new Float32Array(LENGTH));
    for (const arena of [bench.parameters, ...bench.state]) expect(arena.every((value) => value === 0)).toBe(true);
  });

  it("carries NaN and infinity of a gradient into the parameters", () => {
    const bench = new Bench(spec);
    const sums = new Float32Array(LENGTH);
    sums[5] = Number.NaN;
    sums[70] = Infinity;
    bench.update(1, sums);
    expect(bench.parameters[5]).toBeNaN();
    expect(Number.isFinite(bench.parameters[70])).toBe(false);
    expect(bench.parameters[6]).toBe(0);
  });

  it("refuses spans, divisors and steps that can't be", () => {
    const bench = new Bench(spec);
    const arenas = { parameters: 1024, state: bench.optimizer.stateNames.map(() => 1024) };
    const rules = { divisor: 1, learningRate: 0.1 };
    const request = { step: 1, current: arenas, next: arenas, sums: 1024, ...rules, from: 0, length: 16 };
    expect(() => bench.optimizer.update({ ...request, from: 8 })).toThrow(/8\.\.24 .* groups of 16/);
    expect(() => bench.optimizer.update({ ...request, length: 20 })).toThrow(/0\.\.20 .* groups of 16/);
    expect(() => bench.optimizer.update({ ...request, divisor: 0 })).toThrow(/not by 0/);
    expect(() => bench.optimizer.update({ ...request, step: 0 })).toThrow(/step is 0/);
    if (bench.optimizer.stateNames.length > 0) {
      const bare = { parameters: 1024, state: [] };
      expect(() => bench.optimizer.update({ ...request, next: bare })).toThrow(/state arena 0 is missing: 0 given/);
    }
  });
});

describe("adam", () => {
  it("moves every parameter by the learning rate in its first step, whatever the gradient's size", () => {
    const bench = new Bench({ kind: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-12 });
    bench.update(
      1,
      Float32Array.from({ length: LENGTH }, (_, i) => COUNT * 10 ** ((i % 7) - 3)),
    );
    // Would be off by 6e-6 if the correction used another β than the moments.
    for (const value of bench.parameters) expect(Math.abs(value / -0.01 - 1)).toBeLessThan(3e-7);
  });
});
