/** What one system did in one turn. */
export interface Turn {
  /** Milliseconds from one step to the next: mean of the turn's steps. */
  readonly stepMs: number;
  /** Of these, waited for the exchange by the system's own account; null: it keeps none. */
  readonly waitedMs: number | null;
}

/** A system that is ready to train, and stands still between turns. One turn at a time. */
export interface Competitor extends AsyncDisposable {
  readonly name: string;
  /** Mean loss over all rows of each of the first steps. */
  readonly firstLosses: readonly number[];
  /** For about `seconds`. @throws Error when one of its processes ends */
  run(seconds: number): Promise<Turn>;
  /** Milliseconds of each step that turns don't tell, mean over all turns so far. */
  readonly betweenStepsMs: number;
}

/** Of processes that train side by side without each other: as if they were one that does all their steps. */
export function together(turns: readonly Turn[]): Turn {
  const rate = turns.reduce((sum, { stepMs }) => sum + 1 / stepMs, 0);
  return { stepMs: turns.length / rate, waitedMs: null };
}

/** Of processes that train in step: what they measured differs by their clocks only. */
export function inStep(turns: readonly Turn[]): Turn {
  return { stepMs: meanOf(turns.map(({ stepMs }) => stepMs)), waitedMs: null };
}

/** @throws RangeError for no values */
export function meanOf(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("there is no mean of no values");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
