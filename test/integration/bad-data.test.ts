import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "vitest";
import { expectRefusedTrain, type Refusal, type Workplace, workplace } from "../support/refused-run.js";
import { networkXml, writeNetwork } from "../support/training-data.js";

const PARAMETERS = { iterations: 2, learningrate: 0.1 };
const ROWS = Array.from({ length: 12 }, (_, row) => `${row}.5,${row * row},${row % 3}`);

/** The twelve good rows with those of some 1-based lines replaced. */
function csv(changes: Readonly<Record<number, string>> = {}): string {
  return `${ROWS.map((row, index) => changes[index + 1] ?? row).join("\n")}\n`;
}

/** A document for two features and three classes, and these rows beside it. */
async function withRows(text: string | Uint8Array): Promise<{ place: Workplace; document: string; data: string }> {
  const place = await workplace();
  const document = await writeNetwork(place.folder, { inputs: 2, hidden: [3], outputs: 3, parameters: PARAMETERS });
  const data = join(place.folder, "rows.csv");
  await writeFile(data, text);
  return { place, document, data };
}

/** A big-endian IDX file of bytes. */
function idx(dimensions: readonly number[], values: readonly number[]): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(0x0800 + dimensions.length, 0);
  for (const [index, size] of dimensions.entries()) header.writeUInt32BE(size, 4 + 4 * index);
  return Buffer.concat([header, Buffer.from(values)]);
}

/** Of four images of 1 × 2. */
const PIXELS = [0, 255, 30, 60, 90, 120, 150, 180];

interface BadRows {
  readonly what: string;
  readonly text: string | Uint8Array;
  readonly code?: Refusal["code"];
  readonly says: readonly (string | RegExp)[];
}

const CASES: readonly BadRows[] = [
  { what: "an empty file", text: "", says: ["rows.csv", "empty", "Give a file with rows"] },
  { what: "a header only", text: "width,height,kind\n", says: ["rows.csv", "header"] },
  { what: "a ragged row: too short", text: csv({ 7: "6.5,36" }), says: ["rows.csv, row 7", "2", "3"] },
  { what: "a ragged row: too long", text: csv({ 9: "8.5,64,2,5" }), says: ["rows.csv, row 9", "4", "3"] },
  { what: "text where a number belongs", text: csv({ 5: "4.5,tall,1" }), says: ["row 5, column 1", '"tall"'] },
  { what: "an empty field", text: csv({ 4: "3.5,,0" }), says: ["rows.csv, row 4, column 1"] },
  { what: "NaN as a feature", text: csv({ 6: "NaN,25,2" }), says: ["rows.csv, row 6, column 0", "NaN"] },
  { what: "a feature beyond float32", text: csv({ 8: "1e39,49,1" }), says: ["row 8, column 0", "1e39", "Scale"] },
  { what: "a quote that is never closed", text: csv({ 3: '"2.5,4,2' }), says: [/rows\.csv, row \d+/, /quot/i] },
  { what: "bytes that are no UTF-8", text: Buffer.from([0x31, 0x2c, 0xff, 0xfe, 0x0a]), says: ["rows.csv", "UTF-8"] },
  {
    what: "too few classes",
    text: csv().replaceAll(/,2\n/g, ",1\n"),
    code: "DATA_MISMATCH",
    says: ["rows.csv", "output/size", "2"],
  },
  {
    what: "one column too many",
    text: csv().replaceAll(/^/gm, "1,").replace(/1,$/, ""),
    code: "DATA_MISMATCH",
    says: ["rows.csv", "input/size"],
  },
];

describe("rows that training refuses", () => {
  for (const { what, text, code = "DATA_INVALID", says } of CASES) {
    it(`${what}: ${code}, exit 3, with the place`, async () => {
      const { place, document, data } = await withRows(text);
      await expectRefusedTrain(place, [document, "--data", data], { exitCode: 3, code, says });
    });
  }

  it("a real-valued target that is text", async () => {
    const place = await workplace();
    const network = { inputs: 2, hidden: [3], outputs: 1, problem: "Approximators", parameters: PARAMETERS } as const;
    const document = await writeNetwork(place.folder, network);
    const data = join(place.folder, "rows.csv");
    await writeFile(data, csv({ 10: "9.5,81,high" }));
    const refusal = { exitCode: 3, code: "DATA_INVALID", says: ["row 10, column 2", '"high"'] } as const;
    await expectRefusedTrain(place, [document, "--data", data], refusal);
  });
});

describe("files that are missing", () => {
  const missing = (...says: string[]) => ({ exitCode: 3, code: "INPUT_MISSING", says }) as const;

  it("data", async () => {
    const { place, document } = await withRows(csv());
    const gone = join(place.folder, "gone.csv");
    await expectRefusedTrain(
      place,
      [document, "--data", gone],
      missing(`${gone}: there is no such file`, "Check the path"),
    );
  });

  it("test data", async () => {
    const { place, document, data } = await withRows(csv());
    const gone = join(place.folder, "gone.csv");
    const refusal = missing(`${gone}: there is no such file`);
    await expectRefusedTrain(place, [document, "--data", data, "--test-data", gone], refusal);
  });

  it("labels of images", async () => {
    const { place, document } = await withRows(csv());
    const images = join(place.folder, "few-images");
    await writeFile(images, idx([4, 1, 2], PIXELS));
    const gone = join(place.folder, "gone-labels");
    const refusal = missing(`${gone}: there is no such file`);
    await expectRefusedTrain(place, [document, "--data", images, "--labels", gone], refusal);
  });

  it("labels of images that neither option nor name tells", async () => {
    const { place, document } = await withRows(csv());
    const images = join(place.folder, "few-images");
    await writeFile(images, idx([4, 1, 2], PIXELS));
    await expectRefusedTrain(place, [document, "--data", images], missing("few-images", "--labels"));
  });

  it("what the document's dataSchemaID names, with the places that were looked at", async () => {
    const { place } = await withRows(csv());
    const document = join(place.folder, "named.xml");
    const text = networkXml({ inputs: 2, hidden: [3], outputs: 3, parameters: PARAMETERS });
    await writeFile(document, text.replace("<dataSchemaID>", "<dataSchemaID>name/nowhere.csv"));
    const refusal = missing("named.xml", "name/nowhere.csv", join(place.folder, "nowhere.csv"), "--data PATH");
    await expectRefusedTrain(place, [document], refusal);
  });

  it("any data at all", async () => {
    const { place, document } = await withRows(csv());
    const says = ["network.xml", "/definition/data/dataSchemaID", "Name the data with --data PATH"];
    await expectRefusedTrain(place, [document], { exitCode: 3, code: "DATA_MISMATCH", says });
  });

  it("a folder is no data yet", async () => {
    const { place, document } = await withRows(csv());
    const folder = join(place.folder, "classes");
    await mkdir(folder);
    const refusal = {
      exitCode: 4,
      code: "CHOICE_UNSUPPORTED",
      says: [`--data ${folder}`, "CSV, IDX, IDX.gz"],
    } as const;
    await expectRefusedTrain(place, [document, "--data", folder], refusal);
  });
});

describe("image files that training refuses", () => {
  it("more labels than images, both counted", async () => {
    const { place, document } = await withRows(csv());
    const [images, labels] = [join(place.folder, "few-images"), join(place.folder, "few-labels")];
    await writeFile(images, idx([4, 1, 2], PIXELS));
    await writeFile(labels, idx([5], [0, 1, 2, 0, 1]));
    const refusal = { exitCode: 3, code: "DATA_INVALID", says: ["4", "5", "few-labels"] } as const;
    await expectRefusedTrain(place, [document, "--data", images, "--labels", labels], refusal);
  });

  it("images cut off", async () => {
    const { place, document } = await withRows(csv());
    const [images, labels] = [join(place.folder, "few-images"), join(place.folder, "few-labels")];
    await writeFile(images, idx([4, 1, 2], PIXELS.slice(1)));
    await writeFile(labels, idx([4], [0, 1, 2, 0]));
    const refusal = { exitCode: 3, code: "DATA_INVALID", says: ["few-images"] } as const;
    await expectRefusedTrain(place, [document, "--data", images, "--labels", labels], refusal);
  });
});
