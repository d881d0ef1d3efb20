import { dataInvalid } from "../../shared/data/data-failure.js";
import { RANDOM_PURPOSE, RandomStream } from "../../shared/random/random-stream.js";
import { plainSplit, stratifiedSplit } from "./stratified-split.js";

export interface SplitRequest {
  readonly testSplit: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export interface SplitSubject extends SplitRequest {
  readonly file: string;
  readonly rowCount: number;
  /** Null for real-valued targets. */
  readonly classes: { readonly names: readonly string[]; readonly labels: Uint32Array } | null;
  /** Then nothing is held out. */
  readonly hasTestData: boolean;
}

/**
 * Decides which rows are held out: seeded, stratified for classes. Pure.
 * @returns one byte per row, 1 = held out; null when none is
 * @throws RingstrasseError DATA_INVALID when no row would be left to train on
 */
export function chooseHeldOut(subject: SplitSubject): { heldOut: Uint8Array | null; warnings: string[] } {
  const { testSplit, seed, file, rowCount, classes, hasTestData } = subject;
  if (hasTestData || testSplit === 0) return { heldOut: null, warnings: [] };
  const random = new RandomStream({ seed, purpose: RANDOM_PURPOSE.split });
  const heldOut =
    classes === null
      ? plainSplit(rowCount, testSplit, random)
      : stratifiedSplit(classes.labels, classes.names.length, testSplit, random);
  const count = heldOut.reduce((sum, held) => sum + held, 0);
  if (count === rowCount) {
    const problem = `${testSplit} of ${rowCount} rows are all of them: none would be left to train on`;
    throw dataInvalid({ file }, problem, "Give more rows, or hold out a smaller share");
  }
  if (count > 0) return { heldOut, warnings: [] };
  return {
    heldOut: null,
    warnings: [`${testSplit} of ${rowCount} rows rounds to none: nothing is held out for a test`],
  };
}
