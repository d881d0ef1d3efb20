import type { Span } from "../../shared/epoch-plan.js";

/** Floats of a cache line; of float64 numbers, two lines. */
const LINE_NUMBERS = 16;

/**
 * Which numbers of a block are one worker's to fold where all read all of it: [from, to), counted in the block. Whole cache lines, so that no two
 * workers write to one; shares differ by one line at most, and are empty where there are fewer lines than workers. Pure.
 * @param length of the block, in numbers
 */
export function partOfBlock(length: number, rank: number, workers: number): Span {
  const lines = Math.ceil(length / LINE_NUMBERS);
  const bound = (worker: number): number => Math.min(length, Math.floor((worker * lines) / workers) * LINE_NUMBERS);
  return { from: bound(rank), to: bound(rank + 1) };
}
