/** Terms of the Taylor series after the first: up to π/4 what is left out is below 2⁻⁵⁵ of the sum. */
const TERMS = 8;

/**
 * cos πx for 0 ≤ x ≤ 1, within 2⁻⁵². `Math.cos` is not bound to any bits: V8 has two implementations, and the build decides which
 * (`v8_use_libm_trig_functions`). Here are additions, multiplications and divisions alone, which IEEE 754 fixes.
 * @throws RangeError outside of 0 … 1
 */
export function cosineOfPi(x: number): number {
  if (!(x >= 0 && x <= 1)) throw new RangeError(`cos πx is known for 0 ≤ x ≤ 1, not for ${x}`);
  if (x > 0.5) return -cosineOfPi(1 - x);
  return x <= 0.25 ? cosine(Math.PI * x) : sine(Math.PI * (0.5 - x));
}

/** 1 − x²/(1·2) · (1 − x²/(3·4) · (1 − …)), |x| ≤ π/4 */
function cosine(x: number): number {
  const square = x * x;
  let sum = 1;
  for (let term = TERMS; term >= 1; term--) sum = 1 - (square / (2 * term * (2 * term - 1))) * sum;
  return sum;
}

/** x · (1 − x²/(2·3) · (1 − x²/(4·5) · (1 − …))), |x| ≤ π/4 */
function sine(x: number): number {
  const square = x * x;
  let sum = 1;
  for (let term = TERMS; term >= 1; term--) sum = 1 - (square / (2 * term * (2 * term + 1))) * sum;
  return x * sum;
}
