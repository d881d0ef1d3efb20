import type { EngineCheck } from "../../shared/engine-store/engine-check.js";

/** An engine reduced to one operation on matrices that it keeps. */
export interface MatrixProduct extends AsyncDisposable {
  readonly version: string;
  readonly device: EngineCheck["device"];
  /** Rows and columns. */
  readonly size: number;
  /**
   * `count` products of a matrix of halves with one of quarters, one after the other. @returns an element of the last
   * one
   */
  multiply(count: number): Promise<number>;
}

export const LEFT_ELEMENT = 0.5;
export const RIGHT_ELEMENT = 0.25;

/**
 * Multiplies for about `seconds` and counts.
 * @throws RangeError when the product is wrong: a library that computes nonsense must not be trained with
 */
export async function measureProduct(product: MatrixProduct, seconds: number): Promise<number> {
  const { size } = product;
  const expected = size * LEFT_ELEMENT * RIGHT_ELEMENT;
  const run = async (count: number): Promise<number> => {
    const began = performance.now();
    const element = await product.multiply(count);
    if (element !== expected) throw new RangeError(`a matrix product is ${element} instead of ${expected}`);
    return (performance.now() - began) / 1000;
  };
  // The first one packs, compiles, and warms up.
  await run(1);
  const once = await run(1);
  const count = Math.max(1, Math.min(100_000, Math.round(seconds / once)));
  const elapsed = await run(count);
  return (2 * size ** 3 * count) / elapsed / 1e9;
}
