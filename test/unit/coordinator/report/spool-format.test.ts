import { basename } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  contentName,
  decodeReport,
  encodeReport,
  readSpoolName,
  refusedName,
  reportName,
} from "../../../../coordinator/report/spool-format.js";
import { unfinishedSibling } from "../../../../shared/durable-file.js";
import { startedEvent, stepEvent } from "../../../support/train-events.js";

describe("names in a spool", () => {
  it("say what a file is, and sort as their numbers do", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9_999_999_999 }),
        fc.integer({ min: 1, max: 9_999_999_999 }),
        (one, other) => {
          expect(readSpoolName(reportName(one))).toEqual({ kind: "report", number: one });
          expect(readSpoolName(contentName(one))).toEqual({ kind: "content", number: one });
          expect(reportName(one) < reportName(other)).toBe(one < other);
        },
      ),
    );
  });

  it("are passed over while unfinished, set aside, or kept by NFS", () => {
    for (const name of [reportName(1), contentName(1)]) {
      expect(readSpoolName(basename(unfinishedSibling(`/spool/${name}`)))).toEqual({ kind: "ignored" });
      expect(readSpoolName(refusedName(name))).toEqual({ kind: "ignored" });
    }
    expect(readSpoolName(".nfs000000000123")).toEqual({ kind: "ignored" });
  });

  it.each([
    "1.json",
    "notes.txt",
    "0000000001.json~",
    "0000000001.JSON",
    "00000000011.json",
    "x0000000001.json",
    "core",
  ])("%s is foreign", (name) => {
    expect(readSpoolName(name)).toEqual({ kind: "foreign" });
  });
});

describe("a report as a file", () => {
  const report = { kind: "events", run: "r1", from: 0, events: [startedEvent(), stepEvent(1, 1)] } as const;

  it("comes back as it was", () => {
    const events = [...report.events];
    expect(decodeReport(encodeReport({ ...report, events }))).toEqual({ kind: "report", report });
  });

  it("is unfinished wherever it is cut", () => {
    const bytes = encodeReport({ ...report, events: [...report.events] });
    for (let end = 0; end < bytes.length; end += 7) {
      expect(decodeReport(bytes.subarray(0, end))).toEqual({ kind: "unfinished" });
    }
  });

  it.each([
    ["no JSON", "{\n", "not JSON"],
    ["no report", '{"kind":"rumour"}\n', "no report of a run"],
    ["a step without a loss", '{"kind":"events","run":"r","from":0,"events":[{"event":"step"}]}\n', "events.0"],
    ["a name that is no model file's", '{"kind":"modelFile","name":"../x","sizeBytes":1}\n', "name"],
  ])("is refused as %s", (_, text, why) => {
    const decoded = decodeReport(Buffer.from(text));
    expect(decoded.kind === "invalid" ? decoded.problem : decoded.kind).toContain(why);
  });
});
