/** Epochs that a document tells one by one. */
export const MOST_EPOCHS_TOLD = 10_000;

/** At most {@link MOST_EPOCHS_TOLD} of the entries, evenly spread, the first and the last among them. Pure. */
export function evenly<T>(entries: readonly T[]): readonly T[] {
  if (entries.length <= MOST_EPOCHS_TOLD) return entries;
  const step = (entries.length - 1) / (MOST_EPOCHS_TOLD - 1);
  return Array.from({ length: MOST_EPOCHS_TOLD }, (_, index) => entries[Math.round(index * step)]).filter(
    (entry) => entry !== undefined,
  );
}
