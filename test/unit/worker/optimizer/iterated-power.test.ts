import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IteratedPower } from "../../../../worker/optimizer/iterated-power.js";

function byMultiplication(base: number, exponent: number): number {
  let power = 1;
  for (let i = 0; i < exponent; i++) power *= base;
  return power;
}

describe("IteratedPower", () => {
  it("gives the bits of repeated multiplication, in whatever order exponents are asked for", () => {
    const exponents = fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.9999, noNaN: true }), exponents, (base, asked) => {
        const power = new IteratedPower(base);
        for (const exponent of asked) expect(power.at(exponent)).toBe(byMultiplication(base, exponent));
      }),
    );
  });

  it("refuses exponents that are no whole numbers", () => {
    expect(() => new IteratedPower(0.9).at(-1)).toThrow(/exponent -1/);
    expect(() => new IteratedPower(0.9).at(1.5)).toThrow(/exponent 1.5/);
  });
});
