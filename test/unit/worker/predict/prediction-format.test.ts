import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  csvField,
  formatFloat32,
  predictedClass,
  predictionFormatter,
} from "../../../../worker/predict/prediction-format.js";

const row = (...values: number[]) => Float32Array.from(values);

describe("predictionFormatter", () => {
  it("writes classes as CSV: the class and one column per class", () => {
    const formatter = predictionFormatter("csv", ["setosa", "versicolor", "virginica"], 3);
    expect(formatter.header).toBe("row,class,p_setosa,p_versicolor,p_virginica\n");
    expect(formatter.line(1, row(0.1, 0.7, 0.2))).toBe("1,versicolor,0.1,0.7,0.2\n");
  });

  it("quotes class names where RFC 4180 asks for it", () => {
    const formatter = predictionFormatter("csv", ['5" disk', "a,b"], 2);
    expect(formatter.header).toBe('row,class,"p_5"" disk","p_a,b"\n');
    expect(formatter.line(7, row(1, 0))).toBe('7,"5"" disk",1,0\n');
  });

  it("shows both sides of a single output", () => {
    const formatter = predictionFormatter("csv", ["no", "yes"], 1);
    expect(formatter.header).toBe("row,class,p_no,p_yes\n");
    expect(formatter.line(1, row(0.75))).toBe("1,yes,0.25,0.75\n");
    expect(formatter.line(2, row(0.5))).toBe("2,no,0.5,0.5\n");
  });

  it("writes real-valued outputs as CSV", () => {
    const formatter = predictionFormatter("csv", null, 2);
    expect(formatter.header).toBe("row,output_0,output_1\n");
    expect(formatter.line(3, row(-1.5, 1e-7))).toBe("3,-1.5,1e-7\n");
  });

  it("writes one JSON object per line", () => {
    const classes = predictionFormatter("json", ["b", "a", "__proto__"], 3);
    expect(classes.header).toBe("");
    expect(classes.line(1, row(0.1, 0.2, 0.7))).toBe(
      '{"row":1,"class":"__proto__","probabilities":{"b":0.1,"a":0.2,"__proto__":0.7}}\n',
    );
    expect(predictionFormatter("json", null, 2).line(2, row(0.1, -3))).toBe('{"row":2,"outputs":[0.1,-3]}\n');
  });

  it("names no class where an output is not a number", () => {
    const nan = row(0.5, Number.NaN);
    expect(predictionFormatter("csv", ["a", "b"], 2).line(1, nan)).toBe("1,,0.5,NaN\n");
    expect(predictionFormatter("json", ["a", "b"], 2).line(1, nan)).toBe(
      '{"row":1,"class":null,"probabilities":{"a":0.5,"b":null}}\n',
    );
  });
});

describe("predictedClass", () => {
  it.each([
    [[0.1, 0.9], 1],
    [[0.5, 0.5], 0],
    [[-3, -1, -2], 1],
    [[0.5000001], 1],
    [[0.5], 0],
    [[Number.NaN, 1], null],
    [[1, Number.NaN], null],
    [[Number.NaN], null],
  ])("of %j is %j", (values, expected) => {
    expect(predictedClass(row(...values))).toBe(expected);
  });
});

describe("formatFloat32", () => {
  it("reads back as the same float32", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        expect(Object.is(Math.fround(Number(formatFloat32(value))), value) || value === 0).toBe(true);
      }),
    );
  });

  it("is short", () => {
    expect(formatFloat32(Math.fround(0.1))).toBe("0.1");
    expect(formatFloat32(Math.fround(1 / 3))).toBe("0.33333334");
  });
});

describe("csvField", () => {
  it.each([
    ["plain", "plain"],
    ["", '""'],
    ["a,b", '"a,b"'],
    ['say "a"', '"say ""a"""'],
    ["two\nlines", '"two\nlines"'],
    [" blank", '" blank"'],
  ])("%j is written %j", (text, expected) => {
    expect(csvField(text)).toBe(expected);
  });
});
