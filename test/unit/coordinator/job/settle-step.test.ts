import { describe, expect, it } from "vitest";
import type { TrainOptions } from "../../../../coordinator/cli/train-options.js";
import { describeStepSettings } from "../../../../coordinator/job/describe-step-settings.js";
import { settleStep } from "../../../../coordinator/job/settle-step.js";
import { rowsOfUpdate, scaledOptimizer, stepRulesOf } from "../../../../coordinator/job/step-rules-of.js";
import type { TrainingParameters } from "../../../../coordinator/vinnsl/network-definition.js";
import { LOSS_SCALES, PLAIN_STEP, StepRulesSchema } from "../../../../shared/step-rules.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const EXTENT = { epochs: 10, rowCount: 100, batchSize: 25 };

const settle = (options: TrainOptions = {}, parameters: Partial<TrainingParameters> = {}) =>
  settleStep({ parameters: { paths: {}, ...parameters }, options, sources: {}, file: "net.xml" });
const rules = (options: TrainOptions = {}, parameters: Partial<TrainingParameters> = {}) =>
  stepRulesOf(settle(options, parameters), EXTENT);

describe("the rules of a job's steps", () => {
  it("are plain where nobody says anything", () => {
    expect(rules()).toEqual(PLAIN_STEP);
    expect(describeStepSettings(settle())).toEqual([]);
  });

  it("are the document's, and the options' over it", () => {
    const document = {
      accumulate: 2,
      clipNorm: 1,
      precision: "bfloat16",
      schedule: "cosine",
      finalRate: 0.5,
      compress: "bf16",
    } as const;
    expect(rules({}, document)).toEqual({
      ...PLAIN_STEP,
      ...{
        accumulate: 2,
        clipNorm: 1,
        precision: "bfloat16",
        schedule: { kind: "cosine", final: 0.5 },
        payload: { format: "bf16" },
      },
    });
    expect(rules({ accumulate: 3, precision: "float32", "final-rate": 0.25, compress: "none" }, document)).toEqual({
      ...PLAIN_STEP,
      ...{ accumulate: 3, clipNorm: 1, schedule: { kind: "cosine", final: 0.25 } },
    });
    expect(settle({ accumulate: 3 }, document)).toMatchObject({
      accumulate: { value: 3, source: "flag" },
      clipNorm: { value: 1, source: "document" },
      warmUp: { value: null, source: "default" },
    });
  });

  it.each([
    [{ schedule: "step" }, { kind: "step", decay: 0.1, every: 4 }],
    [
      { schedule: "step", decay: 0.5, "decay-every": 3 },
      { kind: "step", decay: 0.5, every: 3 },
    ],
    [{ schedule: "exponential" }, { kind: "exponential", decay: 0.95 }],
    [
      { schedule: "polynomial", power: 2 },
      { kind: "polynomial", power: 2, final: 0 },
    ],
  ] as const)("schedule %j", (options, expected) => {
    expect(rules(options).schedule).toEqual(expected);
  });

  it("count a warm-up in updates: 100 rows in batches of 25 are 4 of them", () => {
    expect(rules({ "warm-up": { amount: 2.5, unit: "epochs" } }).warmUpSteps).toBe(10);
    expect(rules({ "warm-up": { amount: 7, unit: "steps" } }).warmUpSteps).toBe(7);
  });

  it("start a dynamic loss scale lower the more rows are summed, within its limits", () => {
    const first = (batchSize: number) => {
      const { payload } = stepRulesOf(settle({ compress: "fp16" }), { ...EXTENT, batchSize });
      return payload.format === "fp16" && payload.lossScale.kind === "dynamic" ? payload.lossScale.first : null;
    };
    expect([1, 2, 25, 32, 33].map(first)).toEqual([2 ** 16, 2 ** 15, 2 ** 11, 2 ** 11, 2 ** 10]);
    expect(first(2 ** 50)).toBe(LOSS_SCALES.smallest);
    const fixed = rules({ compress: "fp16", "loss-scale": 128 });
    expect(fixed.payload).toEqual({ format: "fp16", lossScale: { kind: "static", scale: 128 } });
    expect(StepRulesSchema.parse(fixed)).toEqual(fixed);
  });

  it("scale the learning rate by the rows of a step, when asked to", () => {
    const optimizer = { kind: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
    expect(scaledOptimizer(optimizer, settle(), 64)).toBe(optimizer);
    const scaled = scaledOptimizer(optimizer, settle({ "scale-learning-rate": 16 }), 64);
    expect(scaled).toEqual({ ...optimizer, learningRate: 0.04 });
  });

  it("of topk send a hundredth, or what is said", () => {
    expect(rules({ compress: "topk" }).payload).toEqual({ format: "topk", fraction: 0.01 });
    expect(rules({}, { compress: "topk", topkFraction: 0.1 }).payload).toEqual({ format: "topk", fraction: 0.1 });
    expect(describeStepSettings(settle({ compress: "topk" }))).toEqual([
      "only a share of 0.01 of gradients sent at once",
    ]);
  });

  it("of local-sgd are local SGD's own where nothing else is said; DiLoCo's are given", () => {
    expect(rules({ strategy: "local-sgd" }).rounds).toEqual({ syncEvery: 8, outer: { learningRate: 1, momentum: 0 } });
    const diloco = { "sync-every": 500, "outer-learning-rate": 0.7, "outer-momentum": 0.9 } as const;
    const expected = { syncEvery: 500, outer: { learningRate: 0.7, momentum: 0.9 } };
    expect(rules({ strategy: "local-sgd", ...diloco }).rounds).toEqual(expected);
    const document = { strategy: "local-sgd", syncEvery: 500, outerLearningRate: 0.7, outerMomentum: 0.9 } as const;
    expect(rules({}, document).rounds).toEqual(expected);
    expect(rules({ "sync-every": 2 }, document).rounds).toEqual({ ...expected, syncEvery: 2 });
    expect(rules({ strategy: "sync" }, document).rounds).toBeNull();
    expect(describeStepSettings(settle({}, document))).toEqual(["the strategy local-sgd"]);
  });

  it("of local-sgd scale the learning rate by the rows of a replica's update", () => {
    expect(rowsOfUpdate(settle(), 64, 4)).toBe(64);
    expect(rowsOfUpdate(settle({ strategy: "local-sgd" }), 64, 4)).toBe(16);
  });

  it("are told where a configuration can't say them", () => {
    expect(
      describeStepSettings(settle({ accumulate: 2, "clip-norm": 1, schedule: "cosine", compress: "bf16" })),
    ).toEqual([
      "steps in 2 micro-batches for each replica",
      "gradients clipped to the norm 1 over all layers",
      "the learning-rate schedule cosine",
      "gradients rounded to bf16",
    ]);
  });
});

describe("what would mean nothing is refused", () => {
  it.each([
    [{ power: 2 }, "--power", "the learning-rate schedule constant"],
    [{ schedule: "cosine", decay: 0.5 }, "--decay", "the learning-rate schedule cosine"],
    [{ schedule: "exponential", "decay-every": 2 }, "--decay-every", "the learning-rate schedule exponential"],
    [{ schedule: "step", "final-rate": 0.1 }, "--final-rate", "the learning-rate schedule step"],
    [{ compress: "bf16", "loss-scale": 2 }, "--loss-scale", "the exchange is in bf16"],
    [{ "topk-fraction": 0.5 }, "--topk-fraction", "only topk"],
    [{ compress: "bf16", "topk-fraction": 0.5 }, "--topk-fraction", "only topk"],
    [{ compress: "topk", "loss-scale": 2 }, "--loss-scale", "the exchange is in float32"],
    [{ "sync-every": 2 }, "--sync-every", "the strategy sync"],
    [{ strategy: "sync", "outer-momentum": 0.5 }, "--outer-momentum", "the strategy sync"],
    [{ "outer-learning-rate": 0.5 }, "--outer-learning-rate", "the strategy sync"],
  ] as const)("the options %j", async (options, option, problem) => {
    const failure = await failureWithCode("USAGE", () => settle(options));
    expect(failure).toMatchObject({ option, problem: expect.stringContaining(problem) });
    expect(failure.remedy).toMatch(/^Leave it out, or choose /);
  });

  it("an element of the document, by its path; unless an option has overridden what it belongs to", async () => {
    const document = {
      schedule: "cosine",
      power: 2,
      paths: { power: "/definition/parameters/valueparameter[2]" },
    } as const;
    const failure = await failureWithCode("DOCUMENT_INVALID", () => settle({}, document));
    expect(failure).toMatchObject({ file: "net.xml", elementPath: "/definition/parameters/valueparameter[2]" });
    expect(settle({ schedule: "constant" }, document).schedule).toEqual({
      value: { kind: "constant" },
      source: "flag",
    });
    await failureWithCode("DOCUMENT_INVALID", () => settle({}, { lossScale: "dynamic" }));
    expect(settle({ compress: "none" }, { compress: "fp16", lossScale: "dynamic" }).compress.value).toBe("none");
  });

  it.each(["bf16", "fp16", "topk"] as const)("%s of what local-sgd exchanges", async (compress) => {
    const failure = await failureWithCode("CHOICE_UNSUPPORTED", () => settle({ strategy: "local-sgd", compress }));
    expect(failure).toMatchObject({ option: `--compress ${compress} with --strategy`, value: "local-sgd" });
    expect(failure.remedy).toMatch(/larger --sync-every/);
  });
});

describe("asynchronous steps", () => {
  it("may be 4 steps apart unless somebody says otherwise, and none with another strategy", () => {
    const stepsAhead = (options: TrainOptions, parameters = {}) =>
      stepRulesOf(settle(options, parameters), { epochs: 1, rowCount: 10, batchSize: 5 }).mostStepsAhead;
    expect(stepsAhead({ strategy: "async" })).toBe(4);
    expect(stepsAhead({ "max-staleness": 9 }, { strategy: "async", maxStaleness: 2 })).toBe(9);
    expect(stepsAhead({}, { strategy: "async", maxStaleness: 2 })).toBe(2);
    expect(stepsAhead({})).toBeNull();
    expect(stepsAhead({ strategy: "sync" }, { strategy: "async", maxStaleness: 2 })).toBeNull();
  });

  it("a bound for steps that are done together is refused where it was given", async () => {
    const usage = await failureWithCode("USAGE", () => settle({ "max-staleness": 3 }));
    expect(usage).toMatchObject({ option: "--max-staleness", problem: "it means nothing to the strategy sync" });
    expect(usage.remedy).toBe("Leave it out, or choose --strategy async");
    await failureWithCode("DOCUMENT_INVALID", () => settle({}, { maxStaleness: 3, strategy: "local-sgd" }));
  });
});
