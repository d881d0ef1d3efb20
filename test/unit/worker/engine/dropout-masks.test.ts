import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ModelSpec, ModelSpecSchema } from "../../../../shared/model-spec.js";
import { DropoutMasks } from "../../../../worker/engine/dropout-masks.js";
import { dropoutFactors } from "../../../support/dropout-factors.js";

const POSITION = { epoch: 1, step: 2, replica: 3 };

/** Dropouts of these rates upon each other, on rows of `inputs` values. */
function modelOf(inputs: number, rates: readonly number[]): ModelSpec {
  return ModelSpecSchema.parse({
    inputs,
    layers: [
      ...rates.map((rate, index) => ({ kind: "dropout", name: `drop${index}`, rate })),
      { kind: "dense", name: "out", units: 2, activation: "softmax", initialBias: 0 },
    ],
    loss: "softmaxCrossEntropy",
    targets: { kind: "class", classes: 2 },
  });
}

async function masksOf(inputs: number, rates: readonly number[], seed = 5): Promise<DropoutMasks> {
  const masks = await DropoutMasks.create(modelOf(inputs, rates), seed);
  if (masks === null) throw new RangeError("the model drops nothing");
  return masks;
}

function expectBits(mask: Float32Array, expected: Float32Array): void {
  const [got, wanted] = [mask, expected].map((floats) =>
    Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength),
  );
  expect(got!.equals(wanted!)).toBe(true);
}

const word = fc.oneof(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const seeds = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat());
const positions = fc.record(
  { epoch: word, step: word, replica: word, accumulation: word },
  { requiredKeys: ["epoch", "step", "replica"] },
);
/** At and beside multiples of 2⁻²⁴, where a comparison could go either way, and as near to 0 and 1 as there are numbers. */
const edges = fc.nat(2 ** 24 - 1).chain((units) => {
  const [rate, step] = [units / 2 ** 24, 2 ** -54];
  return fc.constantFrom(rate, rate + step, Math.max(0, rate - step), Math.fround(rate));
});
const rates = fc.oneof(
  fc.constantFrom(0, 5e-324, 2 ** -24, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999, 0.9999999, 1 - 2 ** -24, 1 - 2 ** -53),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  edges,
);

describe("DropoutMasks", () => {
  it("gives the factors of numbers drawn one by one, bit for bit, for every key, rate and length", async () => {
    const size = fc.integer({ min: 1, max: 67 });
    const batches = fc.record({
      all: fc.array(rates, { minLength: 1, maxLength: 8 }),
      rows: size,
      width: size,
    });
    await fc.assert(
      fc.asyncProperty(seeds, positions, batches, async (seed, position, { all, rows, width }) => {
        const masks = await masksOf(width, all, seed);
        for (const [layer, rate] of all.entries()) {
          const expected = dropoutFactors({ seed, position, layer, rate }, rows * width);
          expectBits(masks.maskOf(layer, position, rows), expected);
        }
      }),
    );
  });

  it("gives the same over hundreds of thousands of numbers", async () => {
    const masks = await masksOf(999, [0.3]);
    const key = { seed: 5, position: POSITION, layer: 0, rate: 0.3 };
    expectBits(masks.maskOf(0, POSITION, 301), dropoutFactors(key, 301 * 999));
  });

  it("decides at the very rate as numbers drawn one by one do", async () => {
    const first = dropoutFactors({ seed: 5, position: POSITION, layer: 0, rate: 0.5 }, 1);
    // By halving, the least rate at which the first number is dropped: a multiple of 2⁻²⁴, and the next float64 above it.
    let [low, high] = first[0] === 0 ? [0, 0.5] : [0.5, 1];
    const isDropped = (rate: number): boolean =>
      dropoutFactors({ seed: 5, position: POSITION, layer: 0, rate }, 1)[0] === 0;
    for (;;) {
      const middle = (low + high) / 2;
      if (middle === low || middle === high) break;
      if (isDropped(middle)) high = middle;
      else low = middle;
    }
    expect(Number.isInteger(low * 2 ** 24)).toBe(true);
    for (const rate of [low, high]) {
      const masks = await masksOf(1, [rate]);
      expect(masks.maskOf(0, POSITION, 1)[0] === 0).toBe(isDropped(rate));
    }
  });

  it("keeps the masks of one micro-batch apart, each at a multiple of 64 bytes", async () => {
    const masks = await masksOf(7, [0.25, 0.5, 0.75]);
    for (const rows of [3, 11, 2]) {
      const all = [0.25, 0.5, 0.75].map((rate, layer) => ({ rate, layer, mask: masks.maskOf(layer, POSITION, rows) }));
      for (const { rate, layer, mask } of all) {
        expect(mask.byteOffset % 64).toBe(0);
        expectBits(mask, dropoutFactors({ seed: 5, position: POSITION, layer, rate }, rows * 7));
      }
    }
  });

  it("takes no more memory than the largest micro-batch needs, however many there are", async () => {
    const masks = await masksOf(1000, [0.5, 0.5]);
    const bytesAfter = (rows: number): number => {
      masks.maskOf(0, POSITION, rows);
      return masks.maskOf(1, POSITION, rows).buffer.byteLength;
    };
    const first = bytesAfter(100);
    for (let step = 0; step < 1000; step++) expect(bytesAfter(1 + (step % 100))).toBe(first);
    // Two masks, and less than two pages; what the smaller ones had is used again.
    expect(bytesAfter(500)).toBeLessThan(2 * 500 * 1000 * 4 + 2 * 65536);
  });

  it("is none for a model that drops nothing, and refuses layers that don't", async () => {
    expect(await DropoutMasks.create(modelOf(3, []), 0)).toBeNull();
    const masks = await masksOf(3, [0.5]);
    expect(() => masks.maskOf(1, POSITION, 1)).toThrow("layer 1 drops nothing");
  });

  it("refuses by name what exceeds 4 GiB, and can go on", async () => {
    const masks = await masksOf(2 ** 12, [0.5]);
    expect(() => masks.maskOf(0, POSITION, 2 ** 19)).toThrow(
      /masks.*need 8\.00 GiB.*limit is 4 GiB.*smaller --batch-size/,
    );
    const key = { seed: 5, position: POSITION, layer: 0, rate: 0.5 };
    expectBits(masks.maskOf(0, POSITION, 2), dropoutFactors(key, 2 ** 13));
  });
});
