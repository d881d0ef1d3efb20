import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSweep, refuseFixed, sweepMembers } from "../../../../coordinator/submit/sweep.js";
import { bestOf, readSweep, type SweepMember, sweepRows } from "../../../../coordinator/submit/sweep-summary.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("parseSweep", () => {
  it("reads a parameter and its values", () => {
    expect(parseSweep("learningrate=0.1, 0.01")).toEqual({ name: "learningrate", values: ["0.1", "0.01"] });
    expect(parseSweep("optimizer=sgd")).toEqual({ name: "optimizer", values: ["sgd"] });
  });

  it.each(["learningrate", "=1", "seed=", "seed=1,,2", "seed=1,1"])("refuses %j", async (text) => {
    const failure = await failureOf(() => parseSweep(text));
    expect(failure).toMatchObject({ code: "USAGE", option: "--sweep", problem: expect.stringContaining(text) });
  });
});

describe("sweepMembers", () => {
  it("is every combination once, the last parameter varying fastest", () => {
    expect(sweepMembers([parseSweep("a=1,2"), parseSweep("b=x,y")])).toEqual([
      { a: "1", b: "x" },
      { a: "1", b: "y" },
      { a: "2", b: "x" },
      { a: "2", b: "y" },
    ]);
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sizes, (counts) => {
        const sweeps = counts.map((count, at) => ({
          name: `p${at}`,
          values: Array.from({ length: count }, (_, v) => `${v}`),
        }));
        const members = sweepMembers(sweeps);
        expect(members).toHaveLength(counts.reduce((product, count) => product * count, 1));
        expect(new Set(members.map((member) => JSON.stringify(member))).size).toBe(members.length);
        for (const { name, values } of sweeps) {
          expect(members.every((member) => values.includes(member[name] ?? ""))).toBe(true);
        }
      }),
    );
  });

  it("refuses a parameter that is given twice, under whichever name, and more runs than an array has", async () => {
    const twice = await failureOf(() => sweepMembers([parseSweep("iterations=1,2"), parseSweep("Epochs=3")]));
    expect(twice).toMatchObject({ code: "USAGE", problem: "Epochs is given twice" });
    const values = Array.from({ length: 101 }, (_, value) => value).join();
    const many = await failureOf(() => sweepMembers([parseSweep(`seed=${values}`), parseSweep(`momentum=${values}`)]));
    expect(many).toMatchObject({ problem: expect.stringContaining("10201 members are more than the 1000") });
  });
});

describe("refuseFixed", () => {
  it("names an option that would make all members alike", async () => {
    const options = { "batch-size": 8, seed: undefined };
    const failure = await failureOf(() => refuseFixed([parseSweep("batchsize=8,16")], options));
    expect(failure).toMatchObject({ problem: "--batch-size gives all members one batchsize" });
    refuseFixed([parseSweep("seed=1,2")], options);
  });
});

const result = (testLoss: number | null, testAccuracy: number | null): SweepMember["result"] => ({
  epochs: 3,
  trainLoss: 0.5,
  testLoss,
  testAccuracy,
  weightsSha256: "ab".repeat(32),
  modelDir: "/run/model",
});

describe("what a sweep has come to", () => {
  it("the best has the highest accuracy, then the lowest loss; without a test none is", () => {
    const member = (index: number, figures: SweepMember["result"]): SweepMember => ({
      index,
      settings: {},
      result: figures,
    });
    expect(
      bestOf([member(0, result(0.5, 0.8)), member(1, result(0.4, 0.9)), member(2, result(0.3, 0.9)), member(3, null)]),
    ).toBe(2);
    expect(bestOf([member(0, result(0.5, null)), member(1, result(0.4, null))])).toBe(1);
    expect(bestOf([member(0, null), member(1, result(null, null))])).toBeNull();
  });

  it("says of each run how it did, or that it has not finished", () => {
    const members = [
      { index: 0, settings: { seed: "1" }, result: result(0.25, 0.875) },
      { index: 1, settings: { seed: "2" }, result: null },
    ];
    const { head, rows } = sweepRows({ document: "net.xml", members, best: 0 });
    expect(head.slice(0, 3)).toEqual(["", "seed", "epochs"]);
    expect(rows).toEqual([
      [
        "0 best",
        "1",
        "3",
        expect.stringContaining("0.5"),
        expect.stringContaining("0.25"),
        expect.stringContaining("87.5"),
        "abababababab",
      ],
      ["1", "2", "not finished", "", "", "", ""],
    ]);
  });

  it("a folder that is no sweep's is refused by name, a run whose record is broken too", async () => {
    const folder = await temporaryDirectory();
    expect(await failureOf(() => readSweep(folder))).toMatchObject({
      code: "INPUT_MISSING",
      file: join(folder, "sweep.json"),
    });
    await writeFile(join(folder, "sweep.json"), JSON.stringify({ document: "net.xml", members: [{ seed: "1" }] }));
    expect((await readSweep(folder)).members).toEqual([{ index: 0, settings: { seed: "1" }, result: null }]);
    await mkdir(join(folder, "0"));
    await writeFile(join(folder, "0", "result.json"), '{"epochs":');
    const failure = await failureOf(() => readSweep(folder));
    expect(failure).toMatchObject({ code: "DATA_INVALID", file: join(folder, "0", "result.json") });
  });
});
