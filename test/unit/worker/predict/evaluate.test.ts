import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ModelToWrite, writeModel } from "../../../../shared/model-file/write-model.js";
import { describeEvaluation, evaluate } from "../../../../worker/predict/evaluate.js";
import { failureOf } from "../../../support/failure-of.js";
import { plainForward } from "../../../support/plain-forward.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { tinyModel, tinyRegression } from "../../../support/trained-model.js";

const ROWS = [
  [5.1, 3.5, 1.4, 0.2],
  [7, 3.2, 4.7, 1.4],
  [6.3, 3.3, 6, 2.5],
  [5, 3, 3, 1],
];
const NAMES = ["setosa", "versicolor", "virginica"];

/** What the model takes each row for, by the formulas. */
function takenFor(model: ModelToWrite): number[] {
  const { transform } = model.facts;
  if (transform.kind !== "standardise") throw new RangeError("the tiny model standardises");
  const { mean, deviation } = transform;
  return ROWS.map((row) => {
    const scaled = row.map((value, index) => (value - (mean[index] ?? 0)) / (deviation[index] ?? 1));
    const outputs = plainForward(model, scaled);
    return outputs.indexOf(Math.max(...outputs));
  });
}

async function stored(written: ModelToWrite, data: string) {
  const directory = await temporaryDirectory();
  const weightsSha256 = await writeModel(join(directory, "model"), written);
  const dataPath = join(directory, "rows.csv");
  await writeFile(dataPath, data);
  const rows = { kind: "data", dataPath, labelsPath: null } as const;
  return { directory, weightsSha256, request: { modelDirectory: join(directory, "model"), rows } };
}

const labelled = (labels: readonly number[]) =>
  ROWS.map((row, index) => `${row.join(",")},${NAMES[labels[index] ?? 0]}\n`).join("");

describe("evaluate", () => {
  it("tells loss, accuracy, and which classes were taken for which", async () => {
    const model = tinyModel();
    const taken = takenFor(model);
    // The last row is said to be something else than what it is taken for.
    const labels = [...taken.slice(0, 3), ((taken[3] ?? 0) + 1) % 3];
    const { request, weightsSha256 } = await stored(model, labelled(labels));
    const evaluation = await evaluate(request);
    const counts = NAMES.map((_, actual) =>
      NAMES.map((__, predicted) => taken.filter((to, row) => to === predicted && labels[row] === actual).length),
    );
    expect(evaluation).toMatchObject({ rows: 4, accuracy: 3 / 4, meanAbsoluteError: null, engine: "wasm" });
    expect(evaluation).toMatchObject({ weightsSha256, confusion: { classNames: NAMES, counts } });
    expect(evaluation.loss).toBeGreaterThan(0);
    const text = describeEvaluation(evaluation);
    expect(text).toMatch(/^rows +4\naccuracy +75\.00 %\nloss +\d/);
    expect(text.trimEnd().split("\n").slice(-4)[0]).toMatch(/^is \\ taken for +setosa +versicolor +virginica$/);
  });

  it("judges by prepared rows as by the file that they came from", async () => {
    const model = tinyModel();
    const labels = [0, 1, 2, 1];
    const { request, directory } = await stored(model, labelled(labels));
    const bytes = Buffer.alloc(4 * 5 * 4);
    for (const [row, values] of ROWS.entries()) {
      for (const [index, value] of values.entries()) bytes.writeFloatLE(value, (row * 5 + index) * 4);
      bytes.writeUInt32LE(labels[row] ?? 0, (row * 5 + 4) * 4);
    }
    await writeFile(join(directory, "test.rows"), bytes);
    const spec = { path: join(directory, "test.rows"), rowCount: 4, features: 4, featureType: "float32" };
    const rowFile = join(directory, "rows.json");
    await writeFile(rowFile, JSON.stringify({ ...spec, targetType: "class", targets: 1 }));
    const prepared = { ...request, rows: { kind: "prepared", rowFile } } as const;
    expect(await evaluate(prepared)).toEqual(await evaluate(request));

    await writeFile(rowFile, JSON.stringify({ ...spec, features: 3, targetType: "class", targets: 1 }));
    expect(await failureOf(() => evaluate(prepared))).toMatchObject({
      code: "DATA_MISMATCH",
      problem: expect.stringMatching(/3 features.*the model's 4 features/),
    });
    await writeFile(rowFile, "rows");
    expect(await failureOf(() => evaluate(prepared))).toMatchObject({ code: "DATA_MISMATCH", file: rowFile });
  });

  it("tells the error of real values", async () => {
    const model = tinyRegression();
    const [first = 0, second = 0] = plainForward(model, [1.5, -2]);
    const { request } = await stored(model, `1.5,-2,${first + 1},${second - 3}\n`);
    const evaluation = await evaluate(request);
    expect(evaluation).toMatchObject({ rows: 1, accuracy: null, confusion: null });
    expect(evaluation.meanAbsoluteError).toBeCloseTo(2, 4);
    expect(evaluation.loss).toBeCloseTo(5, 4);
    expect(describeEvaluation(evaluation)).toContain("mean absolute error  2.000");
  });

  it.each<[string, string, RegExp]>([
    ["rows without labels", "1,2,3,4\n", /don't say what is right.*Give rows with the label column/],
    ["too few columns", "1,2,3\n", /3 columns, the model takes 4 features/],
    ["an unknown label", "1,2,3,4,rose\n", /row 1, column 4: the label .rose. is none of the model's classes/],
  ])("refuses %s, naming the file", async (_what, data, message) => {
    const { request } = await stored(tinyModel(), data);
    const failure = await failureOf(() => evaluate(request));
    expect(failure).toMatchObject({ file: request.rows.dataPath });
    expect(failure.message).toMatch(message);
  });
});
