import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { barChart } from "../../../../bench/support/bar-chart.js";
import { stepChart } from "../../../../bench/train/chart-of-steps.js";

interface Svg {
  readonly svg: {
    readonly text: readonly { readonly "#text": string }[];
    readonly rect: readonly { readonly "@_x": number; readonly "@_width": number; readonly "@_fill": string }[];
    readonly "@_height": number;
  };
}

function parsed(svg: string): Svg["svg"] {
  expect(XMLValidator.validate(svg)).toBe(true);
  const options = { ignoreAttributes: false, parseAttributeValue: true, alwaysCreateTextNode: true };
  return (new XMLParser(options).parse(svg) as Svg).svg;
}

const bar = (label: string, value: number, isOwn = false) => ({ label, value, text: `${value} ms`, isOwn });

describe("barChart", () => {
  it("draws bars in proportion within their group, ours in another colour", () => {
    const groups = [
      { title: "first", bars: [bar("ours", 1, true), bar("theirs", 4)] },
      { title: "second", bars: [bar("theirs", 100), bar("ours", 50, true)] },
    ];
    const { rect } = parsed(barChart({ title: "t", note: "n", groups }));
    const widths = rect.map((one) => one["@_width"]);
    expect(widths[1]).toBe(4 * (widths[0] ?? 0));
    expect(widths[2]).toBe(widths[1]);
    expect(widths[3]).toBe((widths[2] ?? 0) / 2);
    const [ours, theirs, ...rest] = rect.map((one) => one["@_fill"]);
    expect(ours).not.toBe(theirs);
    expect(rest).toEqual([theirs, ours]);
  });

  it("shows names with signs that mean something in XML, and has room for every bar", () => {
    const bars = Array.from({ length: 30 }, (_, index) => bar(`<${index}> & "more"`, index));
    const { text, "@_height": height } = parsed(barChart({ title: "a & b", note: "", groups: [{ title: "", bars }] }));
    expect(text.map((one) => one["#text"])).toContain('<29> & "more"');
    expect(height).toBeGreaterThan(30 * 15);
  });
});

describe("barChart's labels", () => {
  it("have room, however long they are", () => {
    const drawn = (label: string) =>
      parsed(barChart({ title: "", note: "", groups: [{ title: "", bars: [bar(label, 1), bar("b", 2)] }] }));
    const left = (label: string) => drawn(label).rect.map((one) => one["@_x"])[0] ?? 0;
    expect(left("a".repeat(60))).toBeGreaterThan(60 * 6);
    expect(left("a")).toBeLessThan(left("a".repeat(60)));
  });
});

describe("stepChart", () => {
  it("names what was measured and gives its milliseconds", () => {
    const figures = [
      { name: "wasm", stepMs: 12.345, meanStepMs: 13, cpuMsPerStep: 12, rounds: [12.345] },
      { name: "PyTorch 9.9", stepMs: 1.234, meanStepMs: 2, cpuMsPerStep: 1, rounds: [1.234] },
    ];
    const cases = [{ network: "mlp", optimizer: "adam", threads: 2, figures }];
    const texts = parsed(stepChart({ cases, own: ["wasm"], batchSize: 64 })).text.map((one) => one["#text"]);
    expect(texts).toContain("784-528-10, adam, 2 cores");
    expect(texts).toEqual(expect.arrayContaining(["Ringstrasse wasm", "12.3 ms", "PyTorch 9.9", "1.23 ms"]));
    expect(texts.some((text) => text.startsWith("batch 64;"))).toBe(true);
  });
});
