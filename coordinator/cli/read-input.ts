import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { RingstrasseError } from "../../shared/failure.js";

/** Reads a document that the user named. @throws RingstrasseError INPUT_MISSING */
export async function readInput(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const remedy = `Give the path of a ViNNSL document (this one means ${resolve(file)})`;
    throw new RingstrasseError({ code: "INPUT_MISSING", file, problem: explain(cause), remedy }, { cause });
  }
}

function explain(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EISDIR":
      return "it is a directory";
    case "EACCES":
      return "this user may not read it";
    default:
      return `it can't be read (${code})`;
  }
}
