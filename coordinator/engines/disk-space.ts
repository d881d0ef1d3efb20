import { statfs } from "node:fs/promises";
import { engineUnavailable } from "./engine-failure.js";

/** For manifests, headers, and what else lives on the device meanwhile. */
const MARGIN_BYTES = 32 * 2 ** 20;

export interface SpaceNeeded {
  /** For messages. */
  readonly engine: string;
  /** An existing directory. */
  readonly directory: string;
  readonly neededBytes: number;
  /** Default: as the operating system says. */
  readonly freeBytes?: (directory: string) => Promise<number>;
}

/** @throws RingstrasseError ENGINE_UNAVAILABLE when an installation would fill the device */
export async function checkDiskSpace({ engine, directory, neededBytes, freeBytes }: SpaceNeeded): Promise<void> {
  const free = await (freeBytes ?? freeBytesOf)(directory);
  const needed = neededBytes + MARGIN_BYTES;
  if (free >= needed) return;
  const problem = `${directory} has ${megabytes(free)} free, and ${megabytes(needed)} are needed`;
  const remedy = "Free some space, or set RINGSTRASSE_ENGINE_DIR to a directory on another device";
  throw engineUnavailable({ engine, problem, remedy });
}

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
