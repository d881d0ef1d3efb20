import { statfs } from "node:fs/promises";
import { isSystemError } from "../../shared/write-failure.js";
import type { MachineCheck } from "./finding.js";
import { judgeSharedMemory } from "./judge-shared-memory.js";

/** The room in /dev/shm. */
export function sharedMemoryCheck(folder = "/dev/shm"): MachineCheck {
  return async () => [judgeSharedMemory(await freeBytes(folder))];
}

async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return null;
    throw cause;
  }
}
