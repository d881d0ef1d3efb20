/** One 16-bit format, written as plainly as can be: a table of all that it can say. */
export interface SixteenBits {
  readonly name: "bf16" | "fp16";
  /** What a pattern means. */
  decode(bits: number): number;
  /** The pattern nearest to a float32, ties to even; every NaN is 0x7fff or 0xffff here. */
  encode(value: number): number;
}

function format(name: SixteenBits["name"], exponentBits: number, mantissaBits: number): SixteenBits {
  const bias = 2 ** (exponentBits - 1) - 1;
  const special = 2 ** exponentBits - 1;
  const decode = (bits: number): number => {
    const sign = bits >> 15 === 0 ? 1 : -1;
    const exponent = (bits >> mantissaBits) & special;
    const mantissa = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
    if (exponent === special) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return exponent === 0 ? sign * mantissa * 2 ** (1 - bias) : sign * (1 + mantissa) * 2 ** (exponent - bias);
  };
  const infinity = special << mantissaBits;
  const encode = (value: number): number => {
    const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
    if (Number.isNaN(value)) return 0x7fff;
    const size = Math.abs(value);
    // The largest pattern that is not above: they rise with what they mean.
    let [below, above] = [0, infinity];
    while (above - below > 1) {
      const middle = (below + above) >> 1;
      if (decode(middle) <= size) below = middle;
      else above = middle;
    }
    if (size === Number.POSITIVE_INFINITY) return sign | infinity;
    // Infinity stands where the next number would: half a unit above the largest one rounds up to it.
    const top = above === infinity ? 2 ** (bias + 1) : decode(above);
    const [down, up] = [size - decode(below), top - size];
    const nearest = down < up || (down === up && below % 2 === 0) ? below : above;
    return sign | nearest;
  };
  return { name, decode, encode };
}

export const BF16 = format("bf16", 8, 7);
export const FP16 = format("fp16", 5, 10);
export const SIXTEEN_BIT_FORMATS = [BF16, FP16] as const;

/** A float32 as it is after it has travelled. */
export function rounded({ decode, encode }: SixteenBits, value: number): number {
  return decode(encode(value));
}
