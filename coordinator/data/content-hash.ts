import { createHash } from "node:crypto";
import { readBytes } from "../../shared/data/input-bytes.js";

/**
 * SHA-256 of a file as it lies on the disk, lower-case hex. One pass, flat memory.
 * @throws RingstrasseError INPUT_MISSING; the signal's reason when aborted
 */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of readBytes(path, { signal, raw: true })) hash.update(piece);
  return hash.digest("hex");
}

/** SHA-256 of a text, lower-case hex. */
export function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
