/** A process of `synchronous-pair.ts`: computes one chunk whenever it is told to, and nothing else. */
import process from "node:process";

const LENGTH = 16_384;
const passes = Number(process.argv[2]);
const [a, b] = [new Float32Array(LENGTH).fill(1.5), new Float32Array(LENGTH).fill(0.25)];
/** Kept, so that no compiler leaves the computation out. */
let sum = 0;

process.on("message", () => {
  for (let pass = 0; pass < passes; pass++) {
    for (let index = 0; index < LENGTH; index++) sum = (sum + (a[index] ?? 0) * (b[index] ?? 0)) % 1e6;
  }
  process.send?.(sum);
});
process.once("disconnect", () => process.exit(0));
process.send?.("ready");
