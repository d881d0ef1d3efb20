/** What a prepared data set says of itself; its time is when the entry was last used. */
export const DESCRIPTION = "dataset.json";

const ENTRY = /^[0-9a-f]{64}$/;
const UNFINISHED = /^\.[0-9a-f]{64}\.unfinished-[0-9a-f]{12}$/;
const SIGN = /^\.([0-9a-f]{64})\.in-use-[0-9a-f]{12}$/;

/** Whether a name in a cache is that of an entry, which is its key. Pure. */
export function isEntry(name: string): boolean {
  return ENTRY.test(name);
}

/** Whether it is that of a folder that is still being made, or was to be removed. Pure. */
export function isUnfinishedEntry(name: string): boolean {
  return UNFINISHED.test(name);
}

/** The key of the entry that is in use by what a name says; null: it says no such thing. Pure. */
export function keyInUse(name: string): string | null {
  return SIGN.exec(name)?.[1] ?? null;
}
