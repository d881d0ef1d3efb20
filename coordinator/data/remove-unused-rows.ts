import { randomBytes } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../../shared/write-failure.js";
import { DESCRIPTION, isEntry, keyInUse } from "./kept-entry.js";
import { HOLD_LASTS_MS } from "./rows-hold.js";

/** What is kept of rows that nobody uses. */
export interface UnusedRows {
  readonly mostBytes: number;
  readonly mostMs: number;
}

interface Entry {
  readonly name: string;
  readonly usedMs: number;
  readonly sizeBytes: number;
}

/**
 * Removes prepared rows that no run uses: those unused for longer than `mostMs`, and those longest unused beyond `mostBytes` together. Other
 * processes may do the same, and prepare and use rows, at the same time. What this process may not remove stays.
 * @throws system errors when the directory can't be read
 */
export async function removeUnusedRows(directory: string, { mostBytes, mostMs }: UnusedRows): Promise<void> {
  const nowMs = Date.now();
  const names = await readdir(directory);
  const inUse = await keysInUse(directory, names, nowMs);
  const unused: Entry[] = [];
  for (const name of names) {
    const entry = isEntry(name) && !inUse.has(name) ? await entryOf(directory, name) : null;
    if (entry !== null) unused.push(entry);
  }
  let bytes = 0;
  for (const { name, usedMs, sizeBytes } of unused.sort((a, b) => b.usedMs - a.usedMs)) {
    bytes += sizeBytes;
    if (bytes > mostBytes || nowMs - usedMs > mostMs) await removeEntry(directory, name);
  }
}

/** Signs that have run out are removed. */
async function keysInUse(directory: string, names: readonly string[], nowMs: number): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const name of names) {
    const key = keyInUse(name);
    if (key === null) continue;
    const path = join(directory, name);
    const stats = await statOf(path);
    if (stats === null) continue;
    if (nowMs - stats.mtimeMs > HOLD_LASTS_MS) await rm(path, { force: true }).catch(() => undefined);
    else keys.add(key);
  }
  return keys;
}

/** Null: it is gone by now. */
async function entryOf(directory: string, name: string): Promise<Entry | null> {
  const folder = join(directory, name);
  const files: string[] = await readdir(folder).catch(() => []);
  const folderStats = await statOf(folder);
  if (folderStats === null) return null;
  const stats = await Promise.all(files.map((file) => statOf(join(folder, file))));
  const sizeBytes = stats.reduce((sum, file) => sum + (file?.size ?? 0), 0);
  const description = stats[files.indexOf(DESCRIPTION)];
  return { name, usedMs: (description ?? folderStats).mtimeMs, sizeBytes };
}

/** First out of everybody's way, in one step; and back, when somebody has begun to use it in the same moment. */
async function removeEntry(directory: string, name: string): Promise<void> {
  const folder = join(directory, name);
  // A name that is cleared away later, should this process be killed on the way.
  const aside = join(directory, `.${name}.unfinished-${randomBytes(6).toString("hex")}`);
  try {
    await rename(folder, aside);
    const inUse = await keysInUse(directory, await readdir(directory), Date.now());
    if (inUse.has(name) && (await isRenamed(aside, folder))) return;
    await rm(aside, { recursive: true, force: true });
  } catch (cause) {
    // Another user's, or gone: not ours to remove.
    if (!isSystemError(cause)) throw cause;
  }
}

/** False: there is another in its place. */
async function isRenamed(from: string, to: string): Promise<boolean> {
  return await rename(from, to).then(
    () => true,
    () => false,
  );
}

async function statOf(path: string): Promise<{ readonly mtimeMs: number; readonly size: number } | null> {
  return await stat(path).catch(() => null);
}
