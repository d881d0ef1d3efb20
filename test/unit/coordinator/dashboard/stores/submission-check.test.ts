import { describe, expect, it } from "vitest";
import {
  checkDraft,
  type Draft,
  type MarkupVerdict,
} from "../../../../../coordinator/dashboard/stores/submission-check.js";

const sound: MarkupVerdict = { kind: "sound", root: "vinnsl", hasDataReference: true };
const draft = (changes: Partial<Draft> = {}): Draft => ({ xml: "<vinnsl/>", data: null, labels: null, ...changes });
const errors = (changes: Partial<Draft>, markup: MarkupVerdict | null = sound) =>
  checkDraft(draft(changes), markup).filter(({ weight }) => weight === "error");

describe("check of a submission", () => {
  it("has nothing to say against a document with its data", () => {
    expect(checkDraft(draft(), sound)).toEqual([]);
    const files = { data: { name: "t10k-images-idx3-ubyte.gz", size: 9 }, labels: { name: "labels.gz", size: 9 } };
    expect(checkDraft(draft(files), { ...sound, hasDataReference: false })).toEqual([]);
  });

  it("wants a document", () => {
    expect(errors({ xml: "" }, null)).toMatchObject([{ about: "document", text: expect.stringContaining("needed") }]);
  });

  it("names the line of broken markup and the root of a foreign document", () => {
    const broken: MarkupVerdict = { kind: "broken", problem: "expected '>'", line: 7 };
    expect(errors({}, broken)[0]?.text).toBe("Line 7: expected '>'");
    const foreign: MarkupVerdict = { kind: "sound", root: "html", hasDataReference: false };
    expect(errors({}, foreign)[0]?.text).toContain("<html>");
  });

  it("refuses a document of more than the server takes, counted in bytes", () => {
    expect(errors({ xml: "é".repeat(1024 * 1024) })).toEqual([]);
    expect(errors({ xml: "é".repeat(1024 * 1024 + 1) })[0]?.text).toContain("2097154 bytes");
  });

  it("hints at missing data and at a file of an unusual kind, without refusing", () => {
    expect(checkDraft(draft(), { ...sound, hasDataReference: false })).toMatchObject([
      { about: "data", weight: "hint", text: expect.stringContaining("dataSchemaID") },
    ]);
    expect(checkDraft(draft({ data: { name: "rows.xlsx", size: 9 } }), sound)).toMatchObject([
      { about: "data", weight: "hint", text: expect.stringContaining("rows.xlsx") },
    ]);
  });

  it("refuses empty files, and labels without images", () => {
    expect(errors({ data: { name: "iris.csv", size: 0 } })).toMatchObject([{ about: "data" }]);
    expect(errors({ labels: { name: "labels.gz", size: 9 } })).toMatchObject([{ about: "labels" }]);
    const data = { name: "images.gz", size: 9 };
    expect(errors({ data, labels: { name: "labels.gz", size: 0 } })).toMatchObject([{ about: "labels" }]);
  });
});
