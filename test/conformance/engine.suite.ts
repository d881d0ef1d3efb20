import { describe, expect, it } from "vitest";
import { hashTensors } from "../../shared/arena-layout.js";
import { toFailure } from "../../shared/failure.js";
import type { Activation } from "../../shared/model-spec.js";
import type { CreateEngine, StepSums } from "../../worker/engine/engine.js";
import { referenceGradients, relativeDifference, tensorsOf } from "../support/reference-mlp.js";
import { type Example, example, HEADS, network, rowsOf } from "../support/tiny-networks.js";

const POSITION = { epoch: 1, step: 1, replica: 0 };
const ACTIVATIONS: readonly Activation[] = ["linear", "sigmoid", "tanh", "relu", "softmax"];
const CLASSIFIER = network({
  inputs: 9,
  hidden: [13, 6],
  hiddenActivation: "tanh",
  outputs: 4,
  lastActivation: "softmax",
  loss: "softmaxCrossEntropy",
  targets: "class",
});

interface EngineUnderTest {
  readonly create: CreateEngine;
  /** ‖Δ‖/‖·‖ of each gradient tensor against a float64 reference. */
  readonly tolerance: number;
  /** Whether gradients arrive layer by layer, or all at once. */
  readonly arrival: "layer by layer" | "at once";
}

/** What every engine must do. */
export function engineSuite(name: string, { create, tolerance, arrival }: EngineUnderTest): void {
  async function gradients({
    model,
    layout,
    parameters,
    batch,
  }: Example): Promise<{ sums: StepSums; arena: Float32Array }> {
    await using engine = await create(model, layout);
    const arena = new Float32Array(layout.paddedLength);
    engine.loadParameters(parameters);
    const sums = await engine.computeGradients(batch, POSITION, arena);
    return { sums, arena };
  }

  async function expectReference(given: Example): Promise<void> {
    const { sums, arena } = await gradients(given);
    const reference = referenceGradients(given.model, tensorsOf(given.layout, given.parameters), given.batch);
    expect(Math.abs(sums.lossSum / reference.lossSum - 1)).toBeLessThan(tolerance);
    expect(sums.count).toBe(given.batch.count);
    for (const [i, tensor] of tensorsOf(given.layout, arena).entries()) {
      const difference = relativeDifference(tensor, reference.gradients[i]!);
      if (!(difference < tolerance)) expect.fail(`${given.layout.slots[i]?.name} differs by ${difference}`);
    }
  }

  describe(`engine ${name}: gradients`, () => {
    it.each(HEADS)("equal the reference's for %s after %s with %i outputs and %s targets", async (...head) => {
      const [loss, lastActivation, outputs, targets] = head;
      const options = {
        inputs: 5,
        hidden: [7],
        hiddenActivation: "tanh",
        outputs,
        lastActivation,
        loss,
        targets,
      } as const;
      await expectReference(example(network(options), 11));
    });

    it.each(ACTIVATIONS)("equal the reference's with hidden %s", async (hiddenActivation) => {
      const model = network({
        inputs: 6,
        hidden: [17, 9, 5],
        hiddenActivation,
        outputs: 3,
        lastActivation: "softmax",
        loss: "softmaxCrossEntropy",
        targets: "class",
      });
      await expectReference(example(model, 19));
    });

    it.each([1, 7, 100, 1000])("equal the reference's for %i rows", async (count) => {
      await expectReference(example(CLASSIFIER, count));
    });

    it("equal the reference's without hidden layers, and for one parameter column", async () => {
      const options = { hidden: [], hiddenActivation: "linear", lastActivation: "linear", targets: "values" } as const;
      const model = network({ ...options, inputs: 1, outputs: 1, loss: "meanSquaredError" });
      await expectReference(example(model, 5));
      const wide = network({ ...options, inputs: 130, outputs: 33, loss: "meanSquaredError" });
      await expectReference(example(wide, 3));
    });

    it("agree with finite differences of the loss", async () => {
      const given = example(CLASSIFIER, 12);
      const { arena } = await gradients(given);
      await using engine = await create(given.model, given.layout);
      const lossAt = async (index: number, change: number): Promise<number> => {
        const moved = given.parameters.slice();
        moved[index] = moved[index]! + change;
        engine.loadParameters(moved);
        return (await engine.evaluate(given.batch)).lossSum;
      };
      for (const { offset, length } of given.layout.slots) {
        for (const index of [offset, offset + Math.floor(length / 2), offset + length - 1]) {
          const slope = ((await lossAt(index, 2 ** -6)) - (await lossAt(index, -(2 ** -6)))) / 2 ** -5;
          expect(Math.abs(slope - arena[index]!)).toBeLessThan(0.01 * Math.max(1, Math.abs(slope)));
        }
      }
    });

    it("have the same bits when asked for again, by this engine and by another", async () => {
      const given = example(CLASSIFIER, 100);
      await using engine = await create(given.model, given.layout);
      const arenas = [1, 2, 3].map(() => new Float32Array(given.layout.paddedLength));
      const all: StepSums[] = [];
      for (const arena of arenas) {
        engine.loadParameters(given.parameters);
        all.push(await engine.computeGradients(given.batch, POSITION, arena));
        // Other work in between must leave no trace.
        await engine.evaluate(rowsOf(given.model, given.batch, 3, 17));
      }
      const other = await gradients(given);
      const hashes = [...arenas, other.arena].map((arena) => hashTensors(given.layout, arena));
      expect(new Set(hashes).size).toBe(1);
      for (const sums of [...all, other.sums]) expect(sums).toEqual(all[0]);
    });

    it("of four quarters add up to those of the whole", async () => {
      const given = example(CLASSIFIER, 100);
      const whole = await gradients(given);
      const total = new Float64Array(given.layout.paddedLength);
      let [lossSum, correct] = [0, 0];
      for (const from of [0, 25, 50, 75]) {
        const quarter = await gradients({ ...given, batch: rowsOf(given.model, given.batch, from, from + 25) });
        for (const [i, value] of quarter.arena.entries()) total[i]! += value;
        lossSum += quarter.sums.lossSum;
        correct += quarter.sums.correct;
      }
      expect(relativeDifference(whole.arena, total)).toBeLessThan(tolerance);
      expect(Math.abs(lossSum / whole.sums.lossSum - 1)).toBeLessThan(tolerance);
      expect(correct).toBe(whole.sums.correct);
    });

    it("overwrite what their slots held, leave padding alone, and announce layers from last to first", async () => {
      const given = example(CLASSIFIER, 10);
      const { arena: clean } = await gradients(given);
      await using engine = await create(given.model, given.layout);
      engine.loadParameters(given.parameters);
      const arena = new Float32Array(new SharedArrayBuffer(given.layout.paddedLength * 4)).fill(42);
      const announced: number[] = [];
      await engine.computeGradients(given.batch, POSITION, arena, (layer) => {
        announced.push(layer);
        for (const { layer: at, offset, length } of given.layout.slots) {
          const got = arena.subarray(offset, offset + length);
          // Final when announced, and untouched before by an engine that goes layer by layer.
          if (at >= layer) expect(got).toEqual(clean.subarray(offset, offset + length));
          else if (arrival === "layer by layer") expect(got.every((value) => value === 42)).toBe(true);
        }
      });
      expect(announced).toEqual([2, 1, 0]);
      for (const [i, { offset, length }] of given.layout.slots.entries()) {
        const end = given.layout.slots[i + 1]?.offset ?? given.layout.paddedLength;
        expect(arena.subarray(offset + length, end).every((value) => value === 42)).toBe(true);
      }
    });
  });

  engineStateSuite(name, create, tolerance);
}

function engineStateSuite(name: string, create: CreateEngine, tolerance: number): void {
  describe(`engine ${name}: parameters, metrics, predictions`, () => {
    it("uses a copy of the parameters until others are loaded", async () => {
      const given = example(CLASSIFIER, 30);
      await using engine = await create(given.model, given.layout);
      const arena = given.parameters.slice();
      engine.loadParameters(arena);
      const before = await engine.evaluate(given.batch);
      arena.fill(0);
      expect(await engine.evaluate(given.batch)).toEqual(before);
      engine.loadParameters(arena);
      const zero = await engine.evaluate(given.batch);
      expect(zero.lossSum).toBeCloseTo(30 * Math.log(4), 10);
      engine.loadParameters(given.parameters);
      expect(await engine.evaluate(given.batch)).toEqual(before);
    });

    it("refuses to compute before parameters are loaded", async () => {
      const given = example(CLASSIFIER, 3);
      await using engine = await create(given.model, given.layout);
      await expect(engine.evaluate(given.batch)).rejects.toThrow(/hidden0\/kernel was used before/);
    });

    it("evaluates to the sums of a training step", async () => {
      const given = example(CLASSIFIER, 40);
      await using engine = await create(given.model, given.layout);
      engine.loadParameters(given.parameters);
      const arena = new Float32Array(given.layout.paddedLength);
      expect(await engine.evaluate(given.batch)).toEqual(await engine.computeGradients(given.batch, POSITION, arena));
    });

    it("predicts the reference's outputs, and counts as correct what it predicts", async () => {
      const given = example(CLASSIFIER, 60);
      const { outputs } = referenceGradients(given.model, tensorsOf(given.layout, given.parameters), given.batch);
      await using engine = await create(given.model, given.layout);
      engine.loadParameters(given.parameters);
      const predicted = await engine.predict(given.batch.x, 60);
      expect(predicted).toHaveLength(240);
      expect(relativeDifference(predicted, outputs.flat())).toBeLessThan(tolerance);
      const { correct } = await engine.evaluate(given.batch);
      expect(correct).toBe(countCorrect(predicted, 4, given));
      expect(correct).toBeGreaterThan(0);
      expect(correct).toBeLessThan(60);
    });

    it.each(ACTIVATIONS)("lets NaN through hidden %s", async (hiddenActivation) => {
      const model = network({
        inputs: 3,
        hidden: [20, 20],
        hiddenActivation,
        outputs: 2,
        lastActivation: "softmax",
        loss: "softmaxCrossEntropy",
        targets: "class",
      });
      const given = example(model, 33);
      given.batch.x[4] = Number.NaN;
      await using engine = await create(model, given.layout);
      engine.loadParameters(given.parameters);
      const arena = new Float32Array(given.layout.paddedLength);
      expect((await engine.computeGradients(given.batch, POSITION, arena)).lossSum).toBeNaN();
      for (const { offset, length } of given.layout.slots) {
        expect(arena.subarray(offset, offset + length).some((value) => Number.isNaN(value))).toBe(true);
      }
    });

    it("goes on after a call that failed", async () => {
      const given = example(CLASSIFIER, 5);
      await using engine = await create(given.model, given.layout);
      engine.loadParameters(given.parameters);
      const before = await engine.evaluate(given.batch);
      const wrong = { ...given.batch, targets: { kind: "class" as const, classes: Uint32Array.of(0, 1, 9, 0, 0) } };
      await expect(engine.evaluate(wrong)).rejects.toThrow(/row 2 of the micro-batch has class 9.* 4 outputs/);
      await expect(engine.predict(given.batch.x, 6)).rejects.toThrow(/45 floats are no 6 rows of 9/);
      expect(await engine.evaluate(given.batch)).toEqual(before);
    });

    it("names a loss that does not go with the model", async () => {
      const { model, layout } = example(CLASSIFIER, 1);
      const refused = create({ ...model, loss: "sigmoidCrossEntropy" }, layout);
      const failure = toFailure(await refused.catch((error: unknown) => error));
      expect(failure).toMatchObject({
        code: "CHOICE_UNSUPPORTED",
        option: "loss",
        value: "sigmoidCrossEntropy after activation softmax",
        remedy: "Give the last layer the activation sigmoid",
      });
    });
  });
}

function countCorrect(predicted: Float32Array, outputs: number, { batch }: Example): number {
  if (batch.targets.kind !== "class") throw new TypeError("no classes");
  return batch.targets.classes.reduce((count, label, row) => {
    const values = Array.from(predicted.subarray(row * outputs, (row + 1) * outputs));
    return count + (values.indexOf(Math.max(...values)) === label ? 1 : 0);
  }, 0);
}
