import { stat } from "node:fs/promises";
import { RingstrasseError } from "../failure.js";
import { dataInvalid, readFailure } from "./data-failure.js";
import { isIdxMagic } from "./idx-source.js";
import { readStart } from "./input-bytes.js";

export type DataFormat = "csv" | "idx";

const SUPPORTED = ["CSV", "IDX", "IDX.gz"];
const LOOKED_AT_BYTES = 4096;

/**
 * What kind of data a path holds, told by its content, whatever its name; gzipped files by what is in them.
 * @param option the command-line option that named it, for messages
 * @throws RingstrasseError INPUT_MISSING; CHOICE_UNSUPPORTED for a folder; DATA_INVALID for an empty file and anything else
 */
export async function detectFormat(path: string, option = "--data"): Promise<DataFormat> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw readFailure(path, cause);
  });
  if (stats.isDirectory()) {
    const remedy = "Folders of class folders can't be read yet: name a CSV file or an IDX images file";
    throw new RingstrasseError({ code: "CHOICE_UNSUPPORTED", option, value: path, supported: SUPPORTED, remedy });
  }
  const start = await readStart(path, LOOKED_AT_BYTES);
  if (start.length === 0) throw dataInvalid({ file: path }, "the file is empty", "Give a file with rows");
  if (isIdxMagic(start)) return "idx";
  if (isUtf16(start)) {
    throw dataInvalid({ file: path }, "the text is in UTF-16", "Save the file as CSV in the encoding UTF-8");
  }
  if (!start.some(isControlByte)) return "csv";
  throw dataInvalid({ file: path }, "it is neither CSV text nor IDX", `Give data in one of: ${SUPPORTED.join(", ")}`);
}

function isUtf16(start: Uint8Array): boolean {
  return (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
}

/** Bytes that no text holds: control characters other than tab, line feed, vertical tab, form feed and carriage return. */
function isControlByte(byte: number): boolean {
  return (byte < 0x20 && (byte < 0x09 || byte > 0x0d)) || byte === 0x7f;
}
