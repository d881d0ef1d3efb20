import { describe, expect, it } from "vitest";
import { compareRuns } from "../../../../coordinator/diff/compare-runs.js";
import { describeComparison } from "../../../../coordinator/diff/describe-comparison.js";
import type { RunComparison } from "../../../../coordinator/diff/run-difference.js";
import type { HashLogEntry, HashLogHeader } from "../../../../coordinator/output/hash-log-format.js";
import { blockHashes, epochEntry, hashLogHeader, hashOf, stepEntry } from "../../../support/hash-log.js";

const NAMES = { a: "runs/a", b: "runs/b" };

/** Two epochs of two steps, after the initial parameters. */
function entries(): HashLogEntry[] {
  return [
    epochEntry(0, 0),
    stepEntry(1, 1),
    stepEntry(1, 2),
    epochEntry(1, 2),
    stepEntry(2, 3),
    stepEntry(2, 4),
    epochEntry(2, 4),
  ];
}

function changed<Kind extends HashLogEntry["kind"]>(
  kind: Kind,
  step: number,
  change: (entry: Extract<HashLogEntry, { kind: Kind }>) => HashLogEntry,
): HashLogEntry[] {
  return entries().map((entry) =>
    entry.kind === kind && entry.step === step ? change(entry as Extract<HashLogEntry, { kind: Kind }>) : entry,
  );
}

interface Run {
  readonly header?: Partial<HashLogHeader>;
  readonly entries?: HashLogEntry[];
}

async function compare(a: Run, b: Run): Promise<RunComparison & { readonly text: string }> {
  const log = (name: string, run: Run) => ({
    name,
    header: hashLogHeader(run.header),
    entries: run.entries ?? entries(),
  });
  const comparison = await compareRuns(log(NAMES.a, a), log(NAMES.b, b));
  return { ...comparison, text: describeComparison(NAMES, comparison) };
}

describe("compareRuns", () => {
  it("finds identical runs identical, whatever they ran on", async () => {
    const machinery = { workers: 4, collective: "ring", transport: "tcp", ordered: true };
    const { result, configuration, text } = await compare({}, { header: { machinery } });
    expect(result).toEqual({ kind: "identical", at: { epoch: 2, step: 4 } });
    expect(configuration.map(({ name, numeric }) => [name, numeric])).toEqual([
      ["workers", false],
      ["collective", false],
      ["transport", false],
    ]);
    expect(text).toBe("identical, up to epoch 2, step 4\n");
  });

  it("names other rows: step and replica, though gradients and parameters differ after them", async () => {
    const b = changed("step", 3, (entry) => ({
      ...entry,
      replicas: entry.replicas.map((replica) =>
        replica.replica === 1
          ? { ...replica, rows: hashOf("other"), gradients: blockHashes("other") }
          : { ...replica, gradients: blockHashes("too") },
      ),
      parameters: blockHashes("other"),
    }));
    const { result, text } = await compare({}, { entries: b });
    expect(result).toEqual({
      kind: "different",
      difference: {
        epoch: 2,
        step: 3,
        stage: "rows",
        replica: 1,
        block: null,
        tensors: [],
        differingBlocks: 0,
        blockCount: 4,
        stateName: null,
        hashes: { a: hashOf("rows 3/1"), b: hashOf("other") },
        lastEqual: { epoch: 1, step: 2 },
      },
    });
    expect(text).toContain("first difference: epoch 2, step 3: a replica was given other rows");
    expect(text).toContain("  replica 1\n");
    expect(text).toContain("last identical: epoch 1, step 2");
  });

  it("names a gradient: replica, block and the tensors in it", async () => {
    const b = changed("step", 2, (entry) => ({
      ...entry,
      replicas: entry.replicas.map((replica) =>
        replica.replica === 1 ? { ...replica, gradients: blockHashes("gradient 2/1", [1, 3]) } : replica,
      ),
    }));
    const { result, text } = await compare({}, { entries: b });
    expect(result).toMatchObject({
      kind: "different",
      difference: { epoch: 1, step: 2, stage: "gradient", replica: 1, block: 1, differingBlocks: 2 },
    });
    expect(result).toHaveProperty("difference.tensors", ["hidden_1/kernel"]);
    expect(text).toContain("block 1 (hidden_1/kernel); 2 of 4 blocks differ");
  });

  it.each([
    [0, ["hidden_1/kernel"]],
    [2, ["hidden_1/bias"]],
    [3, ["output/kernel"]],
  ])("names the update alone when all gradients are alike (block %i)", async (block, tensors) => {
    const b = changed("step", 2, (entry) => ({ ...entry, parameters: blockHashes("parameters 2", [block]) }));
    const { result, text } = await compare({}, { entries: b });
    expect(result).toMatchObject({
      kind: "different",
      difference: { step: 2, stage: "update", replica: null, block, tensors, differingBlocks: 1 },
    });
    expect(text).toContain("rows and gradients alike");
  });

  it("names several tensors that share a block", async () => {
    const blocks = { blockLength: 64, blockCount: 1, paddedLength: 64 };
    const one = (hash: string): HashLogEntry[] => [
      { kind: "epoch", epoch: 1, step: 1, parameters: [hash], state: [[hash]] },
    ];
    const { result } = await compare(
      { header: { blocks }, entries: one(hashOf("a")) },
      { header: { blocks }, entries: one(hashOf("b")) },
    );
    expect(result).toHaveProperty("difference.tensors", ["hidden_1/kernel", "hidden_1/bias", "output/kernel"]);
  });

  it("names initial parameters", async () => {
    const b = changed("epoch", 0, (entry) => ({ ...entry, parameters: blockHashes("parameters 0", [2]) }));
    const numerics = { ...hashLogHeader().numerics, seed: 7 };
    const { result, text } = await compare({}, { header: { numerics }, entries: b });
    expect(result).toMatchObject({ kind: "different", difference: { stage: "initial", block: 2, lastEqual: null } });
    expect(text).toMatch(/before the first step: the initial parameters differ[\s\S]*seed: 6 and 7/);
  });

  it("names the optimizer's state when only that differs", async () => {
    const b = changed("epoch", 2, (entry) => ({ ...entry, state: [blockHashes("velocity 2", [3])] }));
    const { result, text } = await compare({}, { entries: b });
    expect(result).toMatchObject({
      kind: "different",
      difference: { stage: "state", stateName: "velocity", block: 3 },
    });
    expect(text).toContain("the optimizer's velocity differs");
  });

  it("names the epoch where one log has no steps, and says how to get them", async () => {
    const epochs = (list: HashLogEntry[]) => list.filter(({ kind }) => kind === "epoch");
    const b = epochs(changed("epoch", 4, (entry) => ({ ...entry, parameters: blockHashes("parameters 4", [0]) })));
    const { result, stepsCompared, text } = await compare({}, { header: { granularity: "epoch" }, entries: b });
    expect(stepsCompared).toBe(false);
    expect(result).toMatchObject({
      kind: "different",
      difference: { epoch: 2, stage: "parameters", block: 0, lastEqual: { epoch: 1, step: 2 } },
    });
    expect(text).toContain("--block-hashes step");
  });

  it("compares ends of epochs with other numbers of steps", async () => {
    const header = { granularity: "epoch" as const };
    const a = [epochEntry(0, 0), epochEntry(1, 2)];
    const b = [epochEntry(0, 0), epochEntry(1, 5)];
    const numerics = { ...hashLogHeader().numerics, batchSize: 13 };
    const { result, text } = await compare({ header, entries: a }, { header: { ...header, numerics }, entries: b });
    expect(result).toMatchObject({
      kind: "different",
      difference: { epoch: 1, stage: "parameters", differingBlocks: 4 },
    });
    expect(text).toContain("batchSize: 32 and 13");
  });

  it("says which run ends first", async () => {
    const { result, text } = await compare({ entries: entries().slice(0, 5) }, {});
    expect(result).toEqual({ kind: "shorter", shorter: "a", lastEqual: { epoch: 2, step: 3 } });
    expect(text).toContain("identical up to epoch 2, step 3; there runs/a ends");
    expect((await compare({}, { entries: [] })).result).toEqual({ kind: "shorter", shorter: "b", lastEqual: null });
  });

  it.each<[string, Partial<HashLogHeader>, RegExp]>([
    ["replicas", { replicas: 4 }, /^replicas 2 and 4$/],
    [
      "tensors",
      {
        tensors: hashLogHeader().tensors.map((tensor, index) =>
          index === 1 ? { ...tensor, shape: [6], length: 6 } : tensor,
        ),
      },
      /tensor 1 is hidden_1\/bias \[5\] at 32 and hidden_1\/bias \[6\] at 32/,
    ],
    [
      "fewer tensors",
      { tensors: hashLogHeader().tensors.slice(0, 2) },
      /tensor 2 is output\/kernel \[5, 1\] at 48 and missing/,
    ],
    ["blocks", { blocks: { blockLength: 32, blockCount: 2, paddedLength: 64 } }, /blocks 4 of 16 .* and 2 of 32/],
    ["optimizer state", { stateNames: [] }, /optimizer state velocity and none/],
  ])("refuses runs with other %s by name", async (_what, header, reason) => {
    const { result, text } = await compare({}, { header });
    if (result.kind !== "incomparable") throw new Error(`compared: ${result.kind}`);
    expect(result.reasons.join("; ")).toMatch(reason);
    expect(text).toMatch(/^can't be compared: /);
  });

  it("refuses in one line, with what else differs", async () => {
    const numerics = { ...hashLogHeader().numerics, seed: 7 };
    const machinery = { ...hashLogHeader().machinery, workers: 2 };
    const { text } = await compare({}, { header: { replicas: 4, numerics, machinery } });
    expect(text).toBe("can't be compared: replicas 2 and 4 (other differences: seed 6 and 7)\n");
  });

  it("refuses a log with a hole", async () => {
    const { result } = await compare(
      {},
      { entries: entries().filter(({ kind, step }) => kind === "epoch" || step !== 2) },
    );
    expect(result).toEqual({ kind: "incomparable", reasons: ["runs/b lacks the step entry of epoch 1, step 2"] });
  });

  it("lists every difference of the configuration, what decides over the bits first", async () => {
    const numerics = {
      ...hashLogHeader().numerics,
      engineVersion: "tfjs 4.23.0",
      threads: 2,
      optimizer: { kind: "momentum" as const, learningRate: 0.2, momentum: 0.9 },
      datasetSha256: null,
    };
    const machinery = { ...hashLogHeader().machinery, ordered: false };
    const { configuration } = await compare({}, { header: { numerics, machinery } });
    expect(configuration).toEqual([
      { name: "engineVersion", a: "tfjs 4.22.0", b: "tfjs 4.23.0", numeric: true },
      { name: "threads", a: "1", b: "2", numeric: true },
      {
        name: "optimizer",
        a: "momentum learningRate 0.1 momentum 0.9",
        b: "momentum learningRate 0.2 momentum 0.9",
        numeric: true,
      },
      { name: "datasetSha256", a: "d1", b: "none", numeric: true },
      { name: "ordered", a: "true", b: "false", numeric: false },
    ]);
  });

  it("tells strategies apart, also from a run of a version that knew of none", async () => {
    const numerics = {
      ...hashLogHeader().numerics,
      mostStepsAhead: 4,
      rounds: { syncEvery: 8, outer: { learningRate: 0.7, momentum: 0.9 } },
    };
    const other = { ...numerics, rounds: { syncEvery: 8, outer: { learningRate: 1, momentum: 0 } } };
    const apart = await compare({ header: { numerics } }, { header: { numerics: other } });
    expect(apart.configuration).toEqual([
      {
        name: "rounds",
        a: "syncEvery 8 outer learningRate 0.7 momentum 0.9",
        b: "syncEvery 8 outer learningRate 1 momentum 0",
        numeric: true,
      },
    ]);
    const older = await compare({}, { header: { numerics: { ...numerics, rounds: null } } });
    expect(older.configuration).toEqual([{ name: "mostStepsAhead", a: "none", b: "4", numeric: true }]);
  });

  it("names what else decides over the rows, but not against a version that didn't say", async () => {
    const { numerics } = hashLogHeader();
    const told = (testSplit: number, labelIndex: number | null) => ({
      header: { numerics: { ...numerics, testSplit, labelIndex } },
    });
    expect((await compare(told(0.2, null), told(0.3, 4))).configuration).toEqual([
      { name: "testSplit", a: "0.2", b: "0.3", numeric: true },
      { name: "labelIndex", a: "none", b: "4", numeric: true },
    ]);
    expect((await compare({}, told(0.3, 4))).configuration).toEqual([]);
  });
});
