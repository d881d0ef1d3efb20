import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveData } from "../../../../coordinator/job/resolve-data.js";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { networkXml } from "../../../support/training-data.js";

const DATA = "<dataSchemaID></dataSchemaID>";
const NETWORK = networkXml({ inputs: 2, hidden: [3], outputs: 3 });

/** A document in a folder of its own that names its data like this. */
async function documentNaming(dataSchemaId: string) {
  const folder = await temporaryDirectory();
  const file = join(folder, "net.xml");
  const text = NETWORK.replace(DATA, `<dataSchemaID>${dataSchemaId}</dataSchemaID>`);
  return { folder, file, definition: readNetwork(Buffer.from(text), file) };
}

describe("resolveData", () => {
  it("takes what the command line says as it is, unseen", async () => {
    const { file, definition } = await documentNaming("name/rows.csv");
    expect(await resolveData("elsewhere.csv", definition, file)).toBe("elsewhere.csv");
  });

  it.each(["rows.csv", "name/rows.csv", "  name/rows.csv "])("finds %j beside the document", async (dataSchemaId) => {
    const { folder, file, definition } = await documentNaming(dataSchemaId);
    await writeFile(join(folder, "rows.csv"), "1,2,0\n");
    expect(await resolveData(null, definition, file)).toBe(join(folder, "rows.csv"));
  });

  it("finds a path below the document's folder, and an absolute one", async () => {
    const { folder, file, definition } = await documentNaming("data/rows.csv");
    await mkdir(join(folder, "data"));
    const rows = join(folder, "data", "rows.csv");
    await writeFile(rows, "1,2,0\n");
    expect(await resolveData(null, definition, file)).toBe(rows);
    const other = await documentNaming(rows);
    expect(await resolveData(null, other.definition, other.file)).toBe(rows);
  });

  it("names the places where it looked", async () => {
    const { folder, file, definition } = await documentNaming("name/gone.csv");
    const failure = await failureWithCode("INPUT_MISSING", () => resolveData(null, definition, file));
    expect(failure).toMatchObject({ file, remedy: "Name the data with --data PATH" });
    expect(failure.problem).toContain('"name/gone.csv"');
    expect(failure.problem).toContain(`${join(folder, "gone.csv")} and gone.csv`);
  });

  it.each(["", "  "])("says when nothing names the data (%j)", async (dataSchemaId) => {
    const { file, definition } = await documentNaming(dataSchemaId);
    const failure = await failureWithCode("DATA_MISMATCH", () => resolveData(null, definition, file));
    expect(failure).toMatchObject({ file, elementPath: "/definition/data/dataSchemaID" });
    expect(failure.remedy).toContain("--data PATH");
  });
});
