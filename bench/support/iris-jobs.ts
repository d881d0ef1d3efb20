import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finishedLine, startTraining } from "./train-process.js";

const DOCUMENT = "examples/iris/iris.xml";
/** What jobs of the soaks train on; uploaded under this name, which the document's `dataSchemaID` names. */
export const IRIS_DATA = "examples/iris/iris.csv";
export const IRIS_NAME = "iris.csv";

/** Jobs of one kind are equal but for their names, hence have the same weights. */
export interface IrisKind {
  readonly epochs: number;
  readonly seed: number;
}

/** A document of this kind, called `title`. */
export async function irisDocument({ epochs, seed }: IrisKind, title: string): Promise<string> {
  const xml = await readFile(DOCUMENT, "utf8");
  return xml
    .replace("<name>Iris classification</name>", `<name>${title}</name>`)
    .replace('name="iterations">500', `name="iterations">${epochs}`)
    .replace('name="seed">6', `name="seed">${seed}`);
}

/** What `ringstrasse train` makes of a kind, on one worker. */
export async function irisWeightsSha256(kind: IrisKind): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ringstrasse-iris-"));
  try {
    const document = join(folder, "iris.xml");
    await writeFile(document, await irisDocument(kind, "reference"));
    const args = [document, `--data=${IRIS_DATA}`, "--workers=1", "--engine=wasm", `--out=${join(folder, "out")}`];
    return finishedLine(await startTraining([...args, `--data-dir=${join(folder, "rows")}`]).outcome).weightsSha256;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
