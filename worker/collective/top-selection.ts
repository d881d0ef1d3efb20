/** Abs bits of a float32 in two halves: 15 bits above, 16 below. */
const HIGH_VALUES = 2 ** 15;
const LOW_VALUES = 2 ** 16;
const ABSOLUTE = 0x7fffffff;

/**
 * Finds the elements of an array that are largest in absolute value. Sizes are compared as the bits of a float32 without its sign, which are
 * ordered as the numbers are: infinity above all numbers, NaN above that, so that what has gone wrong is never left out. Of equal sizes
 * the lower index comes first; hence the choice is the same wherever it is made. Not reentrant: it keeps two tables of counts.
 *
 * Cost: three passes, the second and third over few elements' counts: O(length), without sorting (a radix select).
 */
export class TopSelection {
  readonly #high = new Uint32Array(HIGH_VALUES);
  readonly #low = new Uint32Array(LOW_VALUES);

  /**
   * @param into takes the indices, ascending; its length is how many are wanted
   * @throws RangeError when more are wanted than there are
   */
  select(values: Float32Array, into: Uint32Array): void {
    if (into.length > values.length) throw new RangeError(`${into.length} elements of ${values.length}`);
    if (into.length === 0) return;
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const { threshold, atThreshold } = this.#threshold(bits, into.length);
    let at = 0;
    let equalLeft = atThreshold;
    for (let index = 0; at < into.length; index++) {
      const size = (bits[index] as number) & ABSOLUTE;
      if (size < threshold || (size === threshold && equalLeft-- <= 0)) continue;
      into[at++] = index;
    }
  }

  /** The size of the smallest one that is taken, and how many of that size are. */
  #threshold(bits: Uint32Array, count: number): { threshold: number; atThreshold: number } {
    const high = this.#high.fill(0);
    for (let index = 0; index < bits.length; index++) {
      const upper = ((bits[index] as number) & ABSOLUTE) >>> 16;
      high[upper] = (high[upper] as number) + 1;
    }
    const upper = highestReaching(high, count);
    const low = this.#low.fill(0);
    for (let index = 0; index < bits.length; index++) {
      const size = (bits[index] as number) & ABSOLUTE;
      if (size >>> 16 !== upper.value) continue;
      const lower = size & 0xffff;
      low[lower] = (low[lower] as number) + 1;
    }
    const lower = highestReaching(low, upper.left);
    return { threshold: upper.value * LOW_VALUES + lower.value, atThreshold: lower.left };
  }
}

/** The highest value such that it and those above are `count` or more; `left`: how many of it are needed. */
function highestReaching(counts: Uint32Array, count: number): { value: number; left: number } {
  let left = count;
  let value = counts.length - 1;
  for (; value > 0 && (counts[value] as number) < left; value--) left -= counts[value] as number;
  return { value, left };
}
