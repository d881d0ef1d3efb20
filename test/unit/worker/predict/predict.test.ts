import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ModelToWrite, writeModel } from "../../../../shared/model-file/write-model.js";
import { predict } from "../../../../worker/predict/predict.js";
import { failureOf } from "../../../support/failure-of.js";
import { plainForward } from "../../../support/plain-forward.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { TextSink } from "../../../support/text-sink.js";
import { tfjsFileHandler } from "../../../support/tfjs-file-handler.js";
import { tinyModel, tinyRegression } from "../../../support/trained-model.js";

const ROWS = [
  [5.1, 3.5, 1.4, 0.2],
  [7, 3.2, 4.7, 1.4],
  [6.3, 3.3, 6, 2.5],
];
const MEAN = [5.8, 3, 3.7, 1.2];
const DEVIATION = [0.8, 0.4, 1.7, 0.7];
const standardised = ROWS.map((row) =>
  row.map((value, index) => (value - (MEAN[index] ?? 0)) / (DEVIATION[index] ?? 1)),
);

async function stored(written: ModelToWrite, data: string) {
  const directory = await temporaryDirectory();
  await writeModel(join(directory, "model"), written);
  await writeFile(join(directory, "rows.csv"), data);
  const output = new TextSink();
  const request = {
    modelDirectory: join(directory, "model"),
    dataPath: join(directory, "rows.csv"),
    labelsPath: null,
    format: "csv" as const,
    output,
  };
  return { directory, output, request };
}

describe("predict", () => {
  it("scales rows as in training and predicts what tf.loadLayersModel predicts", async () => {
    const data = `a,b,c,d\n${ROWS.map((row) => `${row.join(",")}\n`).join("")}`;
    const { request, output } = await stored(tinyModel(), data);
    const outcome = await predict(request);
    expect(outcome).toEqual({
      rows: 3,
      accuracy: null,
      meanAbsoluteError: null,
      loss: null,
      text: "3 rows predicted; engine wasm",
    });

    const loaded = await tf.loadLayersModel(tfjsFileHandler(join(request.modelDirectory, "model.json")));
    const expected = (await (loaded.predict(tf.tensor2d(standardised)) as tf.Tensor).array()) as number[][];
    const lines = output.text.trimEnd().split("\n");
    expect(lines[0]).toBe("row,class,p_setosa,p_versicolor,p_virginica");
    expect(lines).toHaveLength(4);
    for (const [index, line] of lines.slice(1).entries()) {
      const [row, name, ...scores] = line.split(",");
      const best = expected[index]?.indexOf(Math.max(...(expected[index] ?? []))) ?? -1;
      // Line 1 is the header.
      expect(row).toBe(String(index + 2));
      expect(name).toBe(["setosa", "versicolor", "virginica"][best]);
      for (const [unit, score] of scores.entries()) expect(Number(score)).toBeCloseTo(expected[index]?.[unit] ?? -1, 5);
    }
    loaded.dispose();
  });

  it("leaves the label column out and tells how many were right", async () => {
    const names = tinyModel().facts.classNames ?? [];
    const best = standardised.map((row) => {
      const outputs = plainForward(tinyModel(), row);
      return names[outputs.indexOf(Math.max(...outputs))] ?? "";
    });
    const wrong = names.find((name) => name !== best[2]) ?? "";
    const labels = [best[0], best[1], wrong];
    const { request, output } = await stored(
      tinyModel(),
      ROWS.map((row, index) => `${row.join(",")},${labels[index]}\n`).join(""),
    );
    const outcome = await predict({ ...request, format: "json" });
    expect(outcome).toMatchObject({ rows: 3, accuracy: 2 / 3, meanAbsoluteError: null });
    expect(outcome.text).toMatch(/^3 rows predicted, accuracy 66\.67 %, loss \d+\.\d+; engine wasm$/);
    const classes = output.text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { class: string }).class);
    expect(classes).toEqual(best);
  });

  it("predicts real values", async () => {
    const { request, output } = await stored(tinyRegression(), "1,2,0.5,0.25\n3,4,0.5,0.25\n");
    const outcome = await predict(request);
    expect(outcome.meanAbsoluteError).not.toBeNull();
    expect(outcome.text).toContain("mean absolute error");
    expect(output.text).toMatch(/^row,output_0,output_1\n1,-?\d.*\n2,-?\d.*\n$/);
  });

  it("writes nothing when model, data or labels are not there", async () => {
    const { directory, request, output } = await stored(tinyModel(), "1,2,3,4\n");
    const cases = [
      [{ modelDirectory: join(directory, "nowhere") }, "MODEL_INVALID", "nowhere"],
      [{ dataPath: join(directory, "nowhere.csv") }, "INPUT_MISSING", "nowhere.csv"],
      [{ labelsPath: join(directory, "labels") }, "USAGE", "--labels"],
    ] as const;
    for (const [change, code, place] of cases) {
      const failure = await failureOf(() => predict({ ...request, ...change }));
      expect(failure.code).toBe(code);
      expect(failure.message).toContain(place);
    }
    await mkdir(join(directory, "folder"));
    expect(await failureOf(() => predict({ ...request, dataPath: join(directory, "folder") }))).toMatchObject({
      code: "CHOICE_UNSUPPORTED",
    });
    await rm(join(request.modelDirectory, "weights.bin"));
    expect(await failureOf(() => predict(request))).toMatchObject({ code: "MODEL_INVALID" });
    expect(output.text).toBe("");
  });

  it.each<[string, string, string, RegExp]>([
    ["too few columns", "1,2,3\n", "DATA_MISMATCH", /3 columns, the model takes 4 features.*Give 4 columns, or 5/],
    ["an unknown label", "1,2,3,4,rose\n", "DATA_INVALID", /row 1, column 4: the label .rose. is none of/],
    ["text for a number", "1,2,3,4\n1,2,x,4\n", "DATA_INVALID", /row 2, column 2/],
    ["a ragged row", "1,2,3,4\n1,2,3\n", "DATA_INVALID", /row 2/],
    ["no rows", "", "DATA_INVALID", /empty/],
  ])("names file, row and column of %s", async (_what, data, code, message) => {
    const { request } = await stored(tinyModel(), data);
    const failure = await failureOf(() => predict(request));
    expect(failure).toMatchObject({ code, file: request.dataPath });
    expect(failure.message).toMatch(message);
  });

  it("refuses an engine that is not there", async () => {
    const { request } = await stored(tinyModel(), "1,2,3,4\n");
    vi.stubEnv("RINGSTRASSE_ENGINE_DIR", await temporaryDirectory());
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const failure = await failureOf(() => predict({ ...request, engine: "tensorflow" }));
    expect(failure).toMatchObject({ code: "ENGINE_UNAVAILABLE", engine: "tensorflow" });
    expect(failure.message).toMatch(/is not installed in .+ Run: ringstrasse engine install cpu$/);
  });
});
