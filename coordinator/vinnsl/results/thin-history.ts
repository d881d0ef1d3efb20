/** Epochs that a document tells one by one. */
export const MOST_EPOCHS_TOLD = 10_000;

/**
 * Epochs that a document draws and lists with all that was measured: enough for any picture, and few enough for the document to stay below
 * the 2 MiB that a server takes from a run elsewhere.
 */
export const MOST_EPOCHS_DRAWN = 2_000;

/** At most `most` of the entries, evenly spread, the first and the last among them. Pure. */
export function evenly<T>(entries: readonly T[], most: number): readonly T[] {
  if (entries.length <= most) return entries;
  const step = (entries.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => entries[Math.round(index * step)]).filter(
    (entry) => entry !== undefined,
  );
}
