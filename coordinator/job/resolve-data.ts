import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RingstrasseError } from "../../shared/failure.js";
import type { NetworkDefinition } from "../vinnsl/network-definition.js";

/**
 * The path of the training data: what the command line says, else what the document's `dataSchemaID` names, looked for beside the
 * document. The stack's storage service answers under `name/FILE`, which documents in use carry along: it means FILE.
 * @throws RingstrasseError DATA_MISMATCH or INPUT_MISSING naming the places that were looked at.
 */
export async function resolveData(given: string | null, definition: NetworkDefinition, file: string): Promise<string> {
  if (given !== null) return given;
  const { dataSchemaId } = definition;
  const remedy = "Name the data with --data PATH";
  if (dataSchemaId === null || dataSchemaId.trim() === "") {
    const elementPath = "/definition/data/dataSchemaID";
    const problem = "neither --data nor the document's dataSchemaID names the data";
    throw new RingstrasseError({ code: "DATA_MISMATCH", file, elementPath, problem, remedy });
  }
  const name = dataSchemaId.trim().replace(/^name\//, "");
  const candidates = [join(dirname(file), name), name];
  for (const candidate of candidates) {
    if (await exists(candidate)) return candidate;
  }
  const problem = `its dataSchemaID "${dataSchemaId}" names a file that is not there (looked for ${candidates.join(" and ")})`;
  throw new RingstrasseError({ code: "INPUT_MISSING", file, problem, remedy });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
