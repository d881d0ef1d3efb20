import { readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { syncDirectory, unfinishedSibling } from "../../shared/durable-file.js";
import { isSystemError } from "../../shared/write-failure.js";
import { acquireInstallLock } from "./install-lock.js";

/** Where unfinished downloads of all engines lie. */
export function downloadsDirectory(root: string): string {
  return join(root, "downloads");
}

/**
 * Takes the right to change anything in the store; what a killed installation left half-built is cleared away.
 * @throws RingstrasseError ENGINE_UNAVAILABLE while another process has it; system errors
 */
export async function openStore(engine: string, root: string): Promise<AsyncDisposable> {
  await createDirectory(root);
  const lock = await acquireInstallLock(engine, join(root, "install.lock"));
  try {
    for (const name of await readdir(root)) {
      if (/^\..+\.unfinished-[0-9a-f]+$/.test(name)) await rm(join(root, name), { recursive: true, force: true });
    }
  } catch (cause) {
    await lock[Symbol.asyncDispose]();
    throw cause;
  }
  return lock;
}

/**
 * Puts a complete engine where it belongs. Processes that use the one before keep it until they end. @throws system
 * errors
 */
export async function putInPlace(complete: string, directory: string): Promise<void> {
  const old = unfinishedSibling(directory);
  const replaced = await renameIfThere(directory, old);
  await rename(complete, directory);
  await syncDirectory(dirname(directory));
  if (replaced) await rm(old, { recursive: true, force: true });
}

/**
 * Half an engine must never be found: it goes aside at once, then away. @returns whether it was there. @throws system
 * errors
 */
export async function takeOut(directory: string): Promise<boolean> {
  const aside = unfinishedSibling(directory);
  if (!(await renameIfThere(directory, aside))) return false;
  await syncDirectory(dirname(directory));
  await rm(aside, { recursive: true, force: true });
  return true;
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return false;
    throw cause;
  }
}
