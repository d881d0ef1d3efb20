import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { PredictionBatch } from "../../../../shared/data/load-rows-for-prediction.js";
import { readModel, type TrainedModel } from "../../../../shared/model-file/read-model.js";
import { type ModelToWrite, writeModel } from "../../../../shared/model-file/write-model.js";
import { createEngine } from "../../../../worker/engine/create-engine.js";
import { predictRows } from "../../../../worker/predict/predict-rows.js";
import { plainForward } from "../../../support/plain-forward.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { TextSink } from "../../../support/text-sink.js";
import { tinyModel, tinyRegression } from "../../../support/trained-model.js";

async function stored(model: ModelToWrite): Promise<TrainedModel> {
  const directory = join(await temporaryDirectory(), "model");
  await writeModel(directory, model);
  return readModel(directory);
}

async function* batches(...all: PredictionBatch[]): AsyncGenerator<PredictionBatch> {
  for (const batch of all) yield await Promise.resolve(batch);
}

const ROWS = [
  [0.5, -1, 0.25, 2],
  [-0.5, 1, 1.5, 0],
  [3, 0, -2, 1],
];

/** Lines 11, 12, … of a file. */
function ofRows(rows: number[][], targets: PredictionBatch["targets"] = null): PredictionBatch {
  const rowNumbers = Uint32Array.from(rows, (_row, index) => 11 + index);
  return { count: rows.length, rowNumbers, x: Float32Array.from(rows.flat()), targets };
}

describe("predictRows", () => {
  it("predicts as the formulas say, over several batches, with the rows' numbers in the file, and tells accuracy and loss", async () => {
    const written = tinyModel();
    const model = await stored(written);
    await using engine = await createEngine("wasm", model.facts.model, model.layout);
    const expected = ROWS.map((row) => plainForward(written, row));
    const right = expected.map((row) => row.indexOf(Math.max(...row)));
    // The last row is labelled wrongly.
    const labels = [right[0] ?? 0, right[1] ?? 0, ((right[2] ?? 0) + 1) % 3];
    const classes = (from: number, to: number) => ({
      kind: "class" as const,
      classes: Uint32Array.from(labels.slice(from, to)),
    });
    const rows = batches(ofRows(ROWS.slice(0, 2), classes(0, 2)), ofRows(ROWS.slice(2), classes(2, 3)));
    const output = new TextSink();
    const summary = await predictRows({ model, engine, rows, format: "csv", output });

    expect(summary).toMatchObject({ rows: 3, accuracy: 2 / 3, meanAbsoluteError: null });
    const loss = labels.reduce((sum, label, row) => sum - Math.log(expected[row]?.[label] ?? 0), 0) / 3;
    expect(summary.loss).toBeCloseTo(loss, 5);
    const lines = output.text.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    for (const [row, values] of expected.entries()) {
      const [number, name, ...scores] = (lines[row + 1] ?? "").split(",");
      expect(number).toBe(["11", "12", "11"][row]);
      expect(name).toBe(model.facts.classNames?.[right[row] ?? -1]);
      for (const [unit, value] of values.entries()) expect(Number(scores[unit])).toBeCloseTo(value, 5);
    }
  });

  it("predicts real values, and tells the mean absolute error", async () => {
    const written = tinyRegression();
    const model = await stored(written);
    await using engine = await createEngine("wasm", model.facts.model, model.layout);
    const row = [1.5, -2];
    const [first = 0, second = 0] = plainForward(written, row);
    const targets = { kind: "values" as const, values: Float32Array.of(first + 1, second - 3) };
    const output = new TextSink();
    const summary = await predictRows({ model, engine, rows: batches(ofRows([row], targets)), format: "json", output });
    expect(summary).toMatchObject({ rows: 1, accuracy: null });
    expect(summary.meanAbsoluteError).toBeCloseTo(2, 5);
    expect(summary.loss).toBeCloseTo(5, 5);
    expect((JSON.parse(output.text) as { outputs: number[] }).outputs[0]).toBeCloseTo(first, 5);
  });

  it("says nothing of accuracy where the data has no labels", async () => {
    const model = await stored(tinyModel());
    await using engine = await createEngine("wasm", model.facts.model, model.layout);
    const output = new TextSink();
    const summary = await predictRows({ model, engine, rows: batches(ofRows(ROWS)), format: "json", output });
    expect(summary).toEqual({ rows: 3, accuracy: null, meanAbsoluteError: null, loss: null });
    expect(output.text.trimEnd().split("\n")).toHaveLength(3);
  });

  it("stops reading when the output breaks, with the output's error", async () => {
    const model = await stored(tinyModel());
    await using engine = await createEngine("wasm", model.facts.model, model.layout);
    let asked = 0;
    let ended = false;
    const endless = async function* () {
      try {
        for (;;) {
          asked++;
          yield await Promise.resolve(ofRows(ROWS));
        }
      } finally {
        ended = true;
      }
    };
    let writes = 0;
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(++writes === 2 ? new Error("EPIPE: the reader went away") : null),
    });
    const run = predictRows({ model, engine, rows: endless(), format: "csv", output });
    await expect(run).rejects.toThrow("EPIPE: the reader went away");
    expect(asked).toBe(2);
    expect(ended).toBe(true);
  });

  it("passes on what the rows throw", async () => {
    const model = await stored(tinyModel());
    await using engine = await createEngine("wasm", model.facts.model, model.layout);
    const broken = async function* () {
      yield await Promise.resolve(ofRows(ROWS));
      throw new Error("row 4 is ragged");
    };
    const output = new TextSink();
    await expect(predictRows({ model, engine, rows: broken(), format: "csv", output })).rejects.toThrow(
      "row 4 is ragged",
    );
    expect(output.text.trimEnd().split("\n")).toHaveLength(4);
  });
});
