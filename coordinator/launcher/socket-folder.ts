import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFailure } from "../../shared/write-failure.js";

/** A private folder for sockets, removed when disposed of. */
export interface SocketFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * Short paths: a unix socket's has about 100 characters. What workers leave behind when they are killed lies in here too, since it is
 * their TMPDIR.
 * @throws RingstrasseError OUTPUT_UNWRITABLE
 */
export async function openSocketFolder(): Promise<SocketFolder> {
  const parent = tmpdir();
  try {
    const path = await mkdtemp(join(parent, "ringstrasse-"));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  } catch (cause) {
    throw writeFailure(parent, cause);
  }
}
