import { dataInvalid } from "../../shared/data/data-failure.js";
import { isPacked, readBytes } from "../../shared/data/input-bytes.js";

/**
 * Refuses a gzip file that holds more than so many bytes, however small it is itself. It is unpacked up to there; other files are not read.
 * @throws RingstrasseError DATA_INVALID; INPUT_MISSING; the signal's reason when aborted
 */
export async function refuseUnpackedBeyond(path: string, limitBytes: number, signal?: AbortSignal): Promise<void> {
  if (!(await isPacked(path))) return;
  let sizeBytes = 0;
  for await (const piece of readBytes(path, { signal })) {
    sizeBytes += piece.byteLength;
    if (sizeBytes <= limitBytes) continue;
    const problem = `unpacked it has more than the ${limitBytes} bytes that one file may have here`;
    throw dataInvalid({ file: path }, problem, "Give less data, or have the server take larger files (--max-file)");
  }
}
