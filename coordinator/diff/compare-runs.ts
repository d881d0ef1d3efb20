import { compareEntryPlaces, type HashLogEntry, type HashLogHeader } from "../output/hash-log-format.js";
import { compareEntries } from "./compare-entries.js";
import { configurationDifferences, incomparableReasons } from "./compare-headers.js";
import type { EntryPosition, RunComparison } from "./run-difference.js";

/** A run's hash log: header and entries in ascending order, which may come as they are read. */
export interface HashLog {
  /** As the user named the run. */
  readonly name: string;
  readonly header: HashLogHeader;
  readonly entries: AsyncIterable<HashLogEntry> | Iterable<HashLogEntry>;
}

/**
 * Finds the first thing that differs between two runs. Pure but for reading the entries, each once and only as far as needed.
 * Steps are compared where both logs have them; else the ends of epochs. Cost: O(entries × blocks) hashes, memory of one entry per run.
 */
export async function compareRuns(a: HashLog, b: HashLog): Promise<RunComparison> {
  const stepsCompared = a.header.granularity === "step" && b.header.granularity === "step";
  const common = { configuration: configurationDifferences(a.header, b.header), stepsCompared };
  const reasons = incomparableReasons(a.header, b.header);
  if (reasons.length > 0) return { ...common, result: { kind: "incomparable", reasons } };
  return { ...common, result: await findFirstDifference(a, b, stepsCompared) };
}

async function findFirstDifference(a: HashLog, b: HashLog, stepsCompared: boolean): Promise<RunComparison["result"]> {
  await using left = new EntryCursor(a.entries, stepsCompared);
  await using right = new EntryCursor(b.entries, stepsCompared);
  let lastEqual: EntryPosition | null = null;
  for (;;) {
    const [inA, inB] = [await left.next(), await right.next()];
    if (inA === null && inB === null) break;
    if (inA === null || inB === null) return { kind: "shorter", shorter: inA === null ? "a" : "b", lastEqual };
    // Ends of epochs belong together even where epochs have other numbers of steps (batch size, rows).
    const order = stepsCompared ? compareEntryPlaces(inA, inB) : inA.epoch - inB.epoch;
    if (order !== 0) {
      const missing = order < 0 ? { run: b.name, entry: inA } : { run: a.name, entry: inB };
      const { kind, epoch, step } = missing.entry;
      return {
        kind: "incomparable",
        reasons: [`${missing.run} lacks the ${kind} entry of epoch ${epoch}, step ${step}`],
      };
    }
    const difference = compareEntries(a.header, inA, inB);
    if (difference !== null) return { kind: "different", difference: { ...difference, lastEqual } };
    lastEqual = { epoch: inA.epoch, step: inA.step };
  }
  if (lastEqual === null) return { kind: "incomparable", reasons: ["both logs end before the first entry"] };
  return { kind: "identical", at: lastEqual };
}

/** Entries one at a time; step entries are passed over when only epochs are compared. */
class EntryCursor implements AsyncDisposable {
  readonly #iterator: AsyncIterator<HashLogEntry> | Iterator<HashLogEntry>;
  readonly #withSteps: boolean;

  constructor(entries: HashLog["entries"], withSteps: boolean) {
    this.#iterator = Symbol.asyncIterator in entries ? entries[Symbol.asyncIterator]() : entries[Symbol.iterator]();
    this.#withSteps = withSteps;
  }

  async next(): Promise<HashLogEntry | null> {
    for (;;) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return null;
      if (value.kind === "epoch" || this.#withSteps) return value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#iterator.return?.();
  }
}
