import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "./write-failure.js";

/**
 * Creates a directory with its parents; one that is there already will do. Node's own `recursive` never returns where the file
 * system takes no directories at all (/proc), so parents are asked for one by one. @throws system errors
 */
export async function createDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    if (cause.code === "EEXIST" && (await isDirectory(path))) return;
    const parent = dirname(path);
    if (cause.code !== "ENOENT" || parent === path) throw cause;
    // Where the parent is there, somebody else may have made it just now.
    if (await isDirectory(parent)) return await createIn(path);
    await createDirectory(parent);
    await createDirectory(path);
  }
}

/** The parent is there. */
async function createIn(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if (!isSystemError(cause) || cause.code !== "EEXIST" || !(await isDirectory(path))) throw cause;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (isSystemError(cause)) return false;
    throw cause;
  }
}
