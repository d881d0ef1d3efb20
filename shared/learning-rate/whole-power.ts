/**
 * base^exponent in float64 by squaring and multiplying, in one fixed order: `Math.pow` may differ between machines and versions.
 * O(log exponent).
 * @param exponent a whole number ≥ 0
 */
export function wholePower(base: number, exponent: number): number {
  if (!Number.isSafeInteger(exponent) || exponent < 0)
    throw new RangeError(`exponent ${exponent} is no whole number ≥ 0`);
  let power = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
