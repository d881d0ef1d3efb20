import { beforeAll, describe, expect, it } from "vitest";
import { RandomStream } from "../../../../shared/random/random-stream.js";
import type { Kernels } from "../../../../worker/kernels/kernels.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { rounded, SIXTEEN_BIT_FORMATS, type SixteenBits } from "../../../support/reference-sixteen-bits.js";

const PATTERNS = 65_536;
/** Of every float32 between two neighbours: the middle, and what lies just beside it. */
const BETWEEN = 3 * 0x7f80;

let kernels: Kernels;
let memory: SharedMemory;

beforeAll(async () => {
  memory = new SharedMemory();
  kernels = instantiateKernels(await compileKernels(), memory.memory);
});

const kernelsOf = ({ name }: SixteenBits) =>
  name === "bf16"
    ? { pack: kernels.packBf16, add: kernels.addBf16, unpack: kernels.unpackBf16 }
    : { pack: kernels.packFp16, add: kernels.addFp16, unpack: kernels.unpackFp16 };

const words = (address: number, length: number) => new Uint16Array(memory.memory.buffer, address, length);

function floats(values: ArrayLike<number>) {
  const address = memory.allocate(values.length * 4);
  memory.float32(address, values.length).set(values);
  return address;
}

/** Numbers of all sizes, and some that are none. */
function anyFloats(length: number, seed: number): Float32Array {
  const random = new RandomStream({ seed, purpose: 6 });
  return new Float32Array(Uint32Array.from({ length }, () => random.nextUint32()).buffer);
}

function expectSame(got: ArrayLike<number>, expected: (index: number) => number): void {
  for (let index = 0; index < got.length; index++) {
    if (Object.is(got[index], expected(index))) continue;
    expect.fail(`element ${index} is ${got[index]}, expected ${expected(index)}`);
  }
}

describe.each(SIXTEEN_BIT_FORMATS)("$name kernels", (format) => {
  const { decode, encode } = format;

  it("unpack every pattern to what it means, and pack it to itself again", () => {
    const packed = memory.allocate(PATTERNS * 2);
    words(packed, PATTERNS).set(Uint16Array.from({ length: PATTERNS }, (_, bits) => bits));
    const unpacked = floats(new Float32Array(PATTERNS));
    kernelsOf(format).unpack(unpacked, packed, PATTERNS, 1);
    expectSame(memory.float32(unpacked, PATTERNS), decode);
    const again = memory.allocate(PATTERNS * 2);
    kernelsOf(format).pack(again, unpacked, PATTERNS, 1);
    expectSame(words(again, PATTERNS), (bits) =>
      Number.isNaN(decode(bits)) ? (words(again, PATTERNS)[bits] ?? 0) : bits,
    );
    expect(Array.from(words(again, PATTERNS)).filter((bits) => Number.isNaN(decode(bits)))).toHaveLength(
      Array.from({ length: PATTERNS }, (_, bits) => bits).filter((bits) => Number.isNaN(decode(bits))).length,
    );
  });

  it("round to nearest, ties to even: the middle between any two neighbours, and the floats beside it", () => {
    const values = new Float32Array(BETWEEN);
    for (let bits = 0; bits * 3 < BETWEEN && Number.isFinite(decode(bits + 1)); bits++) {
      const middle = Math.fround((decode(bits) + decode(bits + 1)) / 2);
      const beside = new Float32Array(new Uint32Array(new Float32Array([middle, middle]).buffer).buffer);
      const raw = new Uint32Array(beside.buffer);
      values.set([middle], bits * 3);
      if (middle > 0) {
        raw[0] = (raw[0] ?? 0) - 1;
        raw[1] = (raw[1] ?? 0) + 1;
      }
      values.set(beside, bits * 3 + 1);
    }
    const packed = memory.allocate(BETWEEN * 2);
    kernelsOf(format).pack(packed, floats(values), BETWEEN, 1);
    expectSame(words(packed, BETWEEN), (index) => encode(values[index] ?? 0));
  });

  it("round random floats of all sizes, to infinity where they are too large, and keep NaN", () => {
    const values = anyFloats(PATTERNS, 1);
    const packed = memory.allocate(PATTERNS * 2);
    kernelsOf(format).pack(packed, floats(values), PATTERNS, 1);
    expectSame(Float32Array.from(words(packed, PATTERNS), decode), (index) => rounded(format, values[index] ?? 0));
  });

  it("add float32 times a scale to packed sums, rounded once more, in place too", () => {
    const [a, b] = [
      anyFloats(4096, 2),
      Float32Array.from({ length: 4096 }, (_, index) => Math.fround(Math.sin(index))),
    ];
    const sums = memory.allocate(8192);
    const gradient = floats(b);
    const { pack, add } = kernelsOf(format);
    pack(sums, floats(a), 4096, 1);
    const before = Uint16Array.from(words(sums, 4096));
    add(sums, sums, gradient, 4096, 1024);
    expectSame(Float32Array.from(words(sums, 4096), decode), (index) => {
      const sum = Math.fround(decode(before[index] ?? 0) + Math.fround((b[index] ?? 0) * 1024));
      return rounded(format, sum);
    });
  });

  it("scale by a power of two without a trace", () => {
    const values = Float32Array.from({ length: 256 }, (_, index) => rounded(format, (index - 128) / 64));
    const packed = memory.allocate(512);
    const back = floats(new Float32Array(256));
    kernelsOf(format).pack(packed, floats(values), 256, 2 ** 10);
    kernelsOf(format).unpack(back, packed, 256, 2 ** -10);
    expect(Array.from(memory.float32(back, 256))).toEqual(Array.from(values));
  });

  it("touch nothing beside their destination", () => {
    const [packed, unpacked] = [memory.allocate(64), floats(new Float32Array(24).fill(7))];
    words(packed, 32).fill(9);
    const source = floats(new Float32Array(8).fill(1));
    kernelsOf(format).pack(packed + 16, source, 8, 1);
    kernelsOf(format).unpack(unpacked + 32, packed + 16, 8, 1);
    expect(Array.from(words(packed, 32))).toEqual([
      ...Array(8).fill(9),
      ...Array(8).fill(encode(1)),
      ...Array(16).fill(9),
    ]);
    expect(Array.from(memory.float32(unpacked, 24))).toEqual([
      ...Array(8).fill(7),
      ...Array(8).fill(1),
      ...Array(8).fill(7),
    ]);
  });
});
