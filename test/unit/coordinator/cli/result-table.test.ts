import { describe, expect, it } from "vitest";
import { formatDuration } from "../../../../coordinator/cli/format-figure.js";
import { resultRows, writeResultTable } from "../../../../coordinator/cli/result-table.js";
import { TextSink } from "../../../support/text-sink.js";
import { finishedEvent } from "../../../support/train-events.js";

describe("writeResultTable", () => {
  it("says how good, how fast, on what, and where the model is", () => {
    const sink = new TextSink();
    writeResultTable(sink, finishedEvent());
    for (const text of [
      "accuracy 94.34 %, loss 0.3000",
      "accuracy 96.00 %, loss 0.2500",
      "1 m 23 s",
      "12,346 samples/s, 12.50 % communication",
      "2 workers, 4 replicas, 1 thread each",
      "a".repeat(64),
      "/tmp/runs/iris/model",
    ]) {
      expect(sink.text).toContain(text);
    }
    expect(sink.text.endsWith("┘\n")).toBe(true);
    expect(sink.text).not.toContain("\u001b");
  });

  it("leaves out test figures where nothing was held out, and accuracy where there are no classes", () => {
    const rows = Object.fromEntries(
      resultRows(finishedEvent({ testLoss: null, testAccuracy: null, trainAccuracy: null, ordered: false })),
    );
    expect(rows).not.toHaveProperty("test");
    expect(rows).toMatchObject({ training: "loss 0.2500", collective: "ring (not ordered)" });
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0.0 s"],
    [1234, "1.2 s"],
    [59_940, "59.9 s"],
    [59_960, "1 m 0 s"],
    [83_000, "1 m 23 s"],
    [3_599_600, "1 h 0 m"],
    [7_260_000, "2 h 1 m"],
  ])("%i ms: %s", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});
