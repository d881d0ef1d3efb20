import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RingstrasseError } from "../../../../shared/failure.js";
import type { ModelSpec } from "../../../../shared/model-spec.js";
import { RandomStream } from "../../../../shared/random/random-stream.js";
import type { MicroBatch, StepSums } from "../../../../worker/engine/engine.js";
import { LossHead } from "../../../../worker/engine/loss-head.js";
import { referenceGradients, relativeDifference } from "../../../support/reference-mlp.js";
import { HEADS, network, randomBatch } from "../../../support/tiny-networks.js";

type Head = (typeof HEADS)[number];

/** A model whose logits are its inputs: only the head matters. */
function headOnly([loss, lastActivation, outputs, targets]: Head): ModelSpec {
  return network({ inputs: outputs, hidden: [], hiddenActivation: "linear", outputs, lastActivation, loss, targets });
}

/** Through an identity kernel the reference's outputs and loss are those of the logits. */
function reference(model: ModelSpec, batch: MicroBatch): { lossSum: number; outputs: number[][] } {
  const size = model.inputs;
  const identity = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  return referenceGradients(model, [identity, new Float64Array(size)], batch);
}

function evaluate(model: ModelSpec, batch: MicroBatch): { sums: StepSums; gradient: Float32Array } {
  const gradient = new Float32Array(batch.x.length);
  return { sums: new LossHead(model).evaluate(batch.x, batch, gradient), gradient };
}

function classes(model: ModelSpec, logits: readonly number[], labels: readonly number[]): MicroBatch {
  expect(logits.length).toBe(labels.length * model.inputs);
  const targets = { kind: "class", classes: Uint32Array.from(labels) } as const;
  return { count: labels.length, x: Float32Array.from(logits), targets };
}

describe.each(HEADS)("%s after %s, %i outputs, %s targets", (...head) => {
  const model = headOnly(head);
  const seeds = fc.nat({ max: 1_000_000 });

  it("has the reference's loss and outputs", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 9 }), (seed, count) => {
        const batch = randomBatch(model, count, new RandomStream({ seed, purpose: 6 }));
        const { sums } = evaluate(model, batch);
        const expected = reference(model, batch);
        expect(Math.abs(sums.lossSum - expected.lossSum)).toBeLessThan(1e-12 * (1 + expected.lossSum));
        const outputs = new LossHead(model).activate(batch.x, count);
        expect(relativeDifference(outputs, expected.outputs.flat())).toBeLessThan(1e-7);
      }),
    );
  });

  it("has the gradient that finite differences of the loss have", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const batch = randomBatch(model, 3, new RandomStream({ seed, purpose: 6 }));
        const { gradient } = evaluate(model, batch);
        for (let i = 0; i < batch.x.length; i++) {
          const lossAt = (change: number): number => {
            const x = batch.x.slice();
            x[i] = batch.x[i]! + change;
            return evaluate(model, { ...batch, x }).sums.lossSum;
          };
          const [above, here, below] = [lossAt(2 ** -12), lossAt(0), lossAt(-(2 ** -12))];
          const [right, left] = [(above - here) * 2 ** 12, (here - below) * 2 ** 12];
          // A kink of relu or of the absolute error lies between: the gradient is one of the sides'.
          if (Math.abs(right - left) > 0.01) {
            expect(Math.min(Math.abs(gradient[i]! - right), Math.abs(gradient[i]! - left))).toBeLessThan(0.01);
          } else {
            expect(Math.abs(gradient[i]! - (right + left) / 2)).toBeLessThan(0.01);
          }
        }
      }),
    );
  });

  it("lets NaN and +∞ through into loss or gradient, and calls no NaN row correct", () => {
    const batch = randomBatch(model, 3, new RandomStream({ seed: 7, purpose: 6 }));
    batch.x.fill(Number.NaN, model.inputs, 2 * model.inputs);
    const { sums, gradient } = evaluate(model, batch);
    expect(sums.lossSum).toBeNaN();
    expect(gradient.subarray(model.inputs, 2 * model.inputs).every((value) => Number.isNaN(value))).toBe(true);
    expect(gradient.subarray(0, model.inputs).every((value) => Number.isFinite(value))).toBe(true);
    const alone = { ...batch, count: 1, x: new Float32Array(model.inputs).fill(Number.NaN) };
    expect(new LossHead(model).evaluate(alone.x, alone, null).correct).toBe(0);
  });
});

describe("metrics", () => {
  const softmax = headOnly(["softmaxCrossEntropy", "softmax", 3, "class"]);

  it("take the lowest index of equal outputs", () => {
    const logits = [1, 1, 0, 0, 2, 2, -1, -1, -1];
    expect(evaluate(softmax, classes(softmax, logits, [0, 1, 0])).sums.correct).toBe(3);
    expect(evaluate(softmax, classes(softmax, logits, [1, 2, 2])).sums.correct).toBe(0);
  });

  it("compare one output with a half: more is class 1", () => {
    const sigmoid = headOnly(["sigmoidCrossEntropy", "sigmoid", 1, "class"]);
    expect(evaluate(sigmoid, classes(sigmoid, [0, 0.1, -0.1, 5], [0, 1, 0, 1])).sums.correct).toBe(4);
    const linear = headOnly(["meanSquaredError", "linear", 1, "class"]);
    expect(evaluate(linear, classes(linear, [0.5, 0.6, 0.4, 0.4], [0, 1, 0, 1])).sums.correct).toBe(3);
  });

  it("sum absolute errors for real-valued targets only", () => {
    const model = headOnly(["meanSquaredError", "linear", 3, "values"]);
    const values = Float32Array.of(1, 2, 3, 0, 0, 0);
    const x = Float32Array.of(2, 0, 3, 0, 0, -6);
    const { sums } = evaluate(model, { count: 2, x, targets: { kind: "values", values } });
    expect(sums).toEqual({ lossSum: 5 / 3 + 12, correct: 0, absoluteErrorSum: 3, count: 2 });
    expect(evaluate(softmax, classes(softmax, [1, 2, 3], [0])).sums.absoluteErrorSum).toBe(0);
  });

  it("stay finite for huge logits that probabilities could not hold", () => {
    const { sums, gradient } = evaluate(softmax, classes(softmax, [1e4, -1e4, 0], [1]));
    expect(sums.lossSum).toBe(2e4);
    expect(Array.from(gradient)).toEqual([1, -1, 0]);
    const sigmoid = headOnly(["sigmoidCrossEntropy", "sigmoid", 1, "class"]);
    expect(evaluate(sigmoid, classes(sigmoid, [-1e4, 1e4], [1, 0])).sums.lossSum).toBe(2e4);
  });

  it("refuse a class that the network can't have", () => {
    expect(() => evaluate(softmax, classes(softmax, [1, 2, 3], [3]))).toThrow(/row 0 .* class 3.* 3 outputs/);
    const sigmoid = headOnly(["sigmoidCrossEntropy", "sigmoid", 1, "class"]);
    expect(() => evaluate(sigmoid, classes(sigmoid, [1, 1], [1, 2]))).toThrow(/row 1 .* class 2.* 1 outputs/);
  });
});

describe("heads that do not fit together", () => {
  const base = headOnly(["softmaxCrossEntropy", "softmax", 3, "class"]);
  const values = headOnly(["meanSquaredError", "linear", 3, "values"]);
  const cases: [string, ModelSpec, RegExp, RegExp][] = [
    ["another activation", { ...base, loss: "sigmoidCrossEntropy" }, /after activation softmax/, /activation sigmoid/],
    ["too few outputs", { ...base, targets: { kind: "class", classes: 4 } }, /3 outputs and 4 classes/, /4 units/],
    [
      "one softmax output",
      headOnly(["softmaxCrossEntropy", "softmax", 1, "class"]),
      /1 outputs and 2 classes/,
      /2 units/,
    ],
    ["other targets", { ...values, targets: { kind: "values", outputs: 2 } }, /3 outputs and 2 targets/, /2 units/],
    [
      "cross-entropy of numbers",
      headOnly(["sigmoidCrossEntropy", "sigmoid", 3, "values"]),
      /real-valued targets/,
      /meanSquaredError/,
    ],
  ];

  it.each(cases)("%s: refused by name", (_, model, value, remedy) => {
    expect(() => new LossHead(model)).toThrow(RingstrasseError);
    try {
      new LossHead(model);
    } catch (error) {
      const { failure } = error as RingstrasseError;
      expect(failure).toMatchObject({ code: "CHOICE_UNSUPPORTED", option: "loss" });
      expect(failure).toMatchObject({ value: expect.stringMatching(value), remedy: expect.stringMatching(remedy) });
    }
  });
});
