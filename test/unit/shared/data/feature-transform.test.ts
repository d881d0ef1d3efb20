import { describe, expect, it } from "vitest";
import { featureTransform } from "../../../../shared/data/feature-transform.js";

describe("featureTransform", () => {
  it("leaves values alone", () => {
    const into = new Float32Array(5).fill(9);
    featureTransform({ kind: "none" }, 2)(Float32Array.of(1, 2, 3), 1, into, 2);
    expect([...into]).toEqual([9, 9, 1, 2, 9]);
  });

  it("divides images: the same bits from bytes and from the numbers of a table", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
    const apply = featureTransform({ kind: "scale", divisor: 255 }, 128);
    const fromBytes = new Float32Array(256);
    const fromFloats = Float32Array.from(bytes);
    apply(bytes, 2, fromBytes, 0);
    apply(fromFloats, 2, fromFloats, 0);
    expect(fromBytes).toEqual(fromFloats);
    expect(fromBytes[255]).toBe(1);
    expect(fromBytes[100]).toBe(Math.fround(100 / 255));
  });

  it("standardises in float64, rounded once, each column by its own figures", () => {
    const mean = [0.1, 1e9];
    const deviation = [0.3, 1];
    const raw = Float32Array.of(0.7, 1e9, 0.2, 1e9 + 64);
    const into = new Float32Array(4);
    featureTransform({ kind: "standardise", mean, deviation }, 2)(raw, 2, into, 0);
    const expected = [(raw[0]! - 0.1) / 0.3, 0, (raw[2]! - 0.1) / 0.3, 64].map(Math.fround);
    expect([...into]).toEqual(expected);
  });

  it("refuses figures of another number of features", () => {
    const transform = { kind: "standardise" as const, mean: [0], deviation: [1, 1] };
    expect(() => featureTransform(transform, 1)).toThrow(RangeError);
  });
});
