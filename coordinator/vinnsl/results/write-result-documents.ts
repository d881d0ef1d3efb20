import { join } from "node:path";
import { replaceFile } from "../../../shared/durable-file.js";
import { writeFailure } from "../../../shared/write-failure.js";
import { documentFileName, documentXml, type ResultDocument } from "./result-documents.js";

/** Parts that an output directory has as documents; its model directory has the weights. */
const written: readonly ResultDocument["part"][] = ["trainingresult", "result"];

/**
 * Writes `trainingresult.xml` and `resultschema.xml` into an output directory, each whole or not at all. One writer per
 * directory at a time.
 * @returns the paths of what was written
 * @throws RingstrasseError OUTPUT_UNWRITABLE
 */
export async function writeResultDocuments(
  directory: string,
  documents: readonly ResultDocument[],
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const document of documents) {
    if (!written.includes(document.part)) continue;
    const path = join(directory, documentFileName(document.part));
    try {
      await replaceFile(path, Buffer.from(documentXml(document), "utf8"));
    } catch (cause) {
      throw writeFailure(path, cause);
    }
    paths.push(path);
  }
  return paths;
}
