import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeatureTransform, RowFileSpec } from "../../../../shared/data/dataset-spec.js";
import { featureTransform } from "../../../../shared/data/feature-transform.js";
import { rowTransform } from "../../../../worker/data/row-transform.js";

const FILE: RowFileSpec = {
  path: "some.rows",
  rowCount: 1,
  features: 1,
  featureType: "uint8",
  targetType: "class",
  targets: 1,
};
const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 70 });

describe("rowTransform", () => {
  it("gives the bits of featureTransform, for any bytes, divisor and number of rows", async () => {
    const anyDivisor = fc.oneof(fc.constant(255), fc.double({ min: 1e-3, max: 1e6, noNaN: true }));
    const property = fc.asyncProperty(
      anyBytes,
      anyDivisor,
      fc.integer({ min: 1, max: 4 }),
      async (row, divisor, rows) => {
        const features = row.length;
        const raw = Uint8Array.from({ length: features * rows }, (_, index) => (row[index % features] ?? 0) + index);
        const expected = new Float32Array(raw.length + 1).fill(7);
        const actual = expected.slice();
        const scale = { kind: "scale", divisor } as const;
        featureTransform(scale, features)(raw, rows, expected, 1);
        (await rowTransform(scale, { ...FILE, features }))(raw, rows, actual, 1);
        expect(actual).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it("divides all bytes by 255 as float64 does, rounded once", async () => {
    const apply = await rowTransform({ kind: "scale", divisor: 255 }, { ...FILE, features: 256 });
    const into = new Float32Array(256);
    apply(
      Uint8Array.from({ length: 256 }, (_, byte) => byte),
      1,
      into,
      0,
    );
    expect([...into]).toEqual(Array.from({ length: 256 }, (_, byte) => Math.fround(byte / 255)));
  });

  it("leaves tables to featureTransform", async () => {
    const standardise: FeatureTransform = { kind: "standardise", mean: [2], deviation: [4] };
    const apply = await rowTransform(standardise, { ...FILE, featureType: "float32" });
    const into = new Float32Array(2);
    apply(Float32Array.of(10, -2), 2, into, 0);
    expect([...into]).toEqual([2, -1]);
  });
});
