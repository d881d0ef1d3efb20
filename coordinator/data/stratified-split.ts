import type { RandomStream } from "../../shared/random/random-stream.js";
import { shuffle } from "../../shared/random/shuffle.js";

/**
 * Chooses the rows to hold out: `round(fraction · rows)` of them, every class with its share, i.e. within one row of
 * `fraction · rows of the class`. Shares are rounded down first; what then lacks goes to the classes with the largest remainders (the
 * lower number first). No class is held out whole: one with a single row stays in training. (Where that rule leaves too few
 * candidates, fewer rows are held out.) Pure; O(rows), 9 bytes of memory per row.
 * @param labels class of each row, 0 ≤ class < classCount
 * @returns one byte per row: 1 = held out
 */
export function stratifiedSplit(
  labels: Uint32Array,
  classCount: number,
  fraction: number,
  random: RandomStream,
): Uint8Array {
  const { rows, starts } = groupByClass(labels, classCount);
  const sizes = Array.from({ length: classCount }, (_, index) => (starts[index + 1] ?? 0) - (starts[index] ?? 0));
  const held = new Uint8Array(labels.length);
  for (const [index, count] of shares(sizes, fraction).entries()) {
    // Every class is shuffled, whether rows of it are held out or not, so that one class's size never changes another's choice of words.
    const members = rows.subarray(starts[index], starts[index + 1]);
    shuffle(members, random);
    for (const row of members.subarray(0, count)) held[row] = 1;
  }
  return held;
}

/** Chooses `round(fraction · rowCount)` rows without regard to their targets. Pure; O(rows). @returns as stratifiedSplit */
export function plainSplit(rowCount: number, fraction: number, random: RandomStream): Uint8Array {
  const rows = new Uint32Array(rowCount);
  for (let row = 0; row < rowCount; row++) rows[row] = row;
  shuffle(rows, random);
  const held = new Uint8Array(rowCount);
  for (const row of rows.subarray(0, Math.round(fraction * rowCount))) held[row] = 1;
  return held;
}

/** How many rows of each class are held out. */
function shares(sizes: readonly number[], fraction: number): number[] {
  const counts = sizes.map((size) => Math.floor(fraction * size));
  const rows = sizes.reduce((sum, size) => sum + size, 0);
  let lacking = Math.round(fraction * rows) - counts.reduce((sum, count) => sum + count, 0);
  const remainder = (index: number) => fraction * (sizes[index] ?? 0) - (counts[index] ?? 0);
  const order = sizes.map((_, index) => index).sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (const index of order) {
    if (lacking <= 0) break;
    const count = counts[index] ?? 0;
    if (count + 1 >= (sizes[index] ?? 0)) continue;
    counts[index] = count + 1;
    lacking--;
  }
  return counts;
}

/** Row numbers by class, ascending within each: class c lies at [starts[c], starts[c + 1]). Counting sort. */
function groupByClass(labels: Uint32Array, classCount: number): { rows: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(classCount + 1);
  for (const label of labels) starts[label + 1] = (starts[label + 1] ?? 0) + 1;
  for (let index = 0; index < classCount; index++) starts[index + 1] = (starts[index + 1] ?? 0) + (starts[index] ?? 0);
  const next = starts.slice();
  const rows = new Uint32Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    const at = next[label] as number;
    rows[at] = row;
    next[label] = at + 1;
  }
  return { rows, starts };
}
