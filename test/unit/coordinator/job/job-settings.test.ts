import { describe, expect, it } from "vitest";
import { type SettingsInputs, settleJob } from "../../../../coordinator/job/job-settings.js";
import type { NetworkDefinition, TrainingParameters } from "../../../../coordinator/vinnsl/network-definition.js";
import type { OptimizerKind } from "../../../../shared/model-spec.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { denseLayers } from "../../../support/reference-mlp.js";

const S = "/definition/structure";

interface Changes {
  readonly parameters?: Partial<TrainingParameters>;
  readonly execution?: Partial<NetworkDefinition["execution"]>;
  readonly output?: Partial<NetworkDefinition["output"]>;
  readonly hidden?: NetworkDefinition["hidden"];
  readonly problem?: NetworkDefinition["problem"];
}

function definitionOf(changes: Changes = {}): NetworkDefinition {
  return {
    identifier: null,
    name: null,
    problem: changes.problem ?? "classification",
    input: { id: "In", size: 4, path: `${S}/input` },
    hidden: changes.hidden ?? [{ id: "Hid", size: 3, path: `${S}/hidden[1]`, activation: "tanh" }],
    output: { id: "Out", size: 3, path: `${S}/output`, activation: null, ...changes.output },
    parameters: { paths: {}, ...changes.parameters },
    execution: { paths: {}, ...changes.execution },
    dataSchemaId: null,
    warnings: [],
  };
}

function settle(
  changes: Changes = {},
  options: SettingsInputs["options"] = {},
  sources: SettingsInputs["sources"] = {},
) {
  return settleJob({ definition: definitionOf(changes), options, sources, file: "net.xml" });
}

describe("where settings come from", () => {
  it("defaults fill what nobody says", () => {
    expect(settle()).toMatchObject({
      workers: { value: 1, source: "default" },
      replicas: { value: 1, source: "default" },
      epochs: { value: 100, source: "default" },
      batchSize: { value: null, source: "default" },
      seed: { value: 0, source: "default" },
      testSplit: { value: 0.2, source: "default" },
      labelIndex: { value: null, source: "default" },
      lossThreshold: { value: null, source: "default" },
      optimizer: { kind: "sgd", learningRate: 0.1 },
    });
  });

  const document: Changes = {
    parameters: { epochs: 7, batchSize: 8, seed: 9, testSplit: 0, labelIndex: 0, threshold: 0.5 },
    execution: { workers: 2, replicas: 4 },
  };

  it("the document ranks over them, zeros included", () => {
    expect(settle(document)).toMatchObject({
      workers: { value: 2, source: "document" },
      replicas: { value: 4, source: "document" },
      epochs: { value: 7, source: "document" },
      batchSize: { value: 8, source: "document" },
      seed: { value: 9, source: "document" },
      testSplit: { value: 0, source: "document" },
      labelIndex: { value: 0, source: "document" },
      lossThreshold: { value: 0.5, source: "document" },
    });
  });

  it("wasm has no other precision than float32, whoever asks for one", async () => {
    const paths = { precision: `${S}/parameters[1]` };
    const asked = { code: "CHOICE_UNSUPPORTED", value: "bfloat16", supported: ["float32"] };
    expect(
      await failureWithCode("CHOICE_UNSUPPORTED", () => settle({}, { engine: "wasm", precision: "bfloat16" })),
    ).toMatchObject({
      ...asked,
      option: "--precision",
    });
    const document = { parameters: { precision: "bfloat16", paths } } as const;
    expect(await failureWithCode("CHOICE_UNSUPPORTED", () => settle(document, { engine: "wasm" }))).toMatchObject({
      ...asked,
      option: paths.precision,
    });
    const overridden = settle(document, { engine: "wasm", precision: "float32" }, { precision: "flag" });
    expect(overridden.step.precision).toEqual({ value: "float32", source: "flag" });
  });

  it("options rank over the document, and keep their source", () => {
    const options = { workers: 3, replicas: 6, epochs: 1, "batch-size": 2, seed: 0, "test-split": 0.1 };
    const sources = { workers: "flag", replicas: "environment", epochs: "config file", seed: "flag" } as const;
    expect(settle(document, options, sources)).toMatchObject({
      workers: { value: 3, source: "flag" },
      replicas: { value: 6, source: "environment" },
      epochs: { value: 1, source: "config file" },
      batchSize: { value: 2 },
      seed: { value: 0, source: "flag" },
      testSplit: { value: 0.1 },
    });
  });

  it("replicas follow the workers unless somebody says otherwise", () => {
    expect(settle({}, { workers: 5 }).replicas).toEqual({ value: 5, source: "default" });
  });

  it("a threshold of 0 never stops anything", () => {
    expect(settle({ parameters: { threshold: 0 } }).lossThreshold).toEqual({ value: null, source: "default" });
  });

  it("more workers than replicas are refused, with both ways out", async () => {
    const failure = await failureWithCode("USAGE", () => settle({ execution: { replicas: 2 } }, { workers: 3 }));
    expect(failure).toMatchObject({ option: "--workers", problem: expect.stringContaining("3 workers") });
    expect(failure.problem).toContain("2 replicas");
    expect(failure.remedy).toMatch(/--workers 2 or less.*--replicas 3 or more/);
  });
});

describe("optimizers", () => {
  const specs: { readonly [Kind in OptimizerKind]: object } = {
    sgd: { kind: "sgd", learningRate: 0.5 },
    momentum: { kind: "momentum", learningRate: 0.5, momentum: 0.9 },
    nesterov: { kind: "nesterov", learningRate: 0.5, momentum: 0.9 },
    adam: { kind: "adam", learningRate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    adamw: { kind: "adamw", learningRate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.01 },
    rmsprop: { kind: "rmsprop", learningRate: 0.5, decay: 0.9, epsilon: 1e-7 },
    adagrad: { kind: "adagrad", learningRate: 0.5, initialAccumulator: 0.1, epsilon: 1e-7 },
  };
  for (const [kind, spec] of Object.entries(specs) as [OptimizerKind, object][]) {
    it(`${kind}: every constant is filled in`, () => {
      expect(settle({ parameters: { optimizer: kind, learningRate: 0.5 } }).optimizer).toEqual(spec);
    });
  }

  it.each([undefined, "sgd", "momentum"] as const)(
    "momentum with optimizer %s means SGD with momentum",
    (optimizer) => {
      const parameters = { momentum: 0.3, ...(optimizer === undefined ? {} : { optimizer }) };
      expect(settle({ parameters }).optimizer).toEqual({ kind: "momentum", learningRate: 0.1, momentum: 0.3 });
    },
  );

  it("momentum goes with nesterov; a momentum of 0 asks for nothing", () => {
    const nesterov = { optimizer: "nesterov", momentum: 0.3 } as const;
    expect(settle({ parameters: nesterov }).optimizer).toMatchObject({ kind: "nesterov", momentum: 0.3 });
    expect(settle({ parameters: { momentum: 0 } }).optimizer).toEqual({ kind: "sgd", learningRate: 0.1 });
    expect(settle({ parameters: { optimizer: "adam", momentum: 0 } }).optimizer).toMatchObject({ kind: "adam" });
  });

  it.each(["adam", "adamw", "rmsprop", "adagrad"] as const)(
    "momentum with %s is refused by its element",
    async (kind) => {
      const paths = { momentum: "/definition/parameters/valueparameter[2]" };
      const parameters = { optimizer: kind, momentum: 0.9, paths };
      const failure = await failureWithCode("DOCUMENT_UNSUPPORTED", () => settle({ parameters }));
      expect(failure).toMatchObject({ file: "net.xml", elementPath: paths.momentum });
      expect(failure.problem).toContain(kind);
      expect(failure.supported).toContain(`${kind} without momentum`);
    },
  );
});

describe("loss, targets and last activation", () => {
  const cases = [
    ["classification", 3, undefined, null, "softmaxCrossEntropy", "softmax"],
    ["classification", 1, undefined, null, "sigmoidCrossEntropy", "sigmoid"],
    ["classification", 3, "crossEntropy", "sigmoid", "sigmoidCrossEntropy", "sigmoid"],
    ["classification", 3, "meanSquaredError", null, "meanSquaredError", "softmax"],
    ["classification", 1, "meanSquaredError", null, "meanSquaredError", "sigmoid"],
    ["classification", 3, "meanSquaredError", "tanh", "meanSquaredError", "tanh"],
    ["classification", 3, "meanAbsoluteError", null, "meanAbsoluteError", "softmax"],
    ["regression", 2, undefined, null, "meanSquaredError", "linear"],
    ["regression", 2, undefined, "relu", "meanSquaredError", "relu"],
    ["regression", 1, "meanAbsoluteError", null, "meanAbsoluteError", "linear"],
  ] as const;
  it.each(cases)(
    "%s, %i outputs, loss %s, activation %s: %s with %s",
    (...[problem, size, loss, activation, expectedLoss, expectedActivation]) => {
      const parameters = loss === undefined ? {} : { loss };
      const { model } = settle({ problem, output: { size, activation }, parameters });
      expect([model.loss, denseLayers(model).at(-1)?.activation]).toEqual([expectedLoss, expectedActivation]);
      expect(model.targets).toEqual(
        problem === "regression" ? { kind: "values", outputs: size } : { kind: "class", classes: Math.max(2, size) },
      );
    },
  );

  it.each([
    ["regression", 2, null, "problemType Classifiers"],
    ["classification", 1, "softmax", "sigmoid"],
    ["classification", 3, "relu", "softmax or sigmoid"],
  ] as const)(
    "cross-entropy for %s with %i outputs and %s is refused",
    async (problem, size, activation, supported) => {
      const paths = { loss: "/definition/parameters/comboparameter" };
      const changes: Changes = { problem, output: { size, activation }, parameters: { loss: "crossEntropy", paths } };
      const failure = await failureWithCode("DOCUMENT_UNSUPPORTED", () => settle(changes));
      expect(failure).toMatchObject({ file: "net.xml", elementPath: paths.loss });
      expect(failure.supported).toContain(supported);
      expect(failure.problem).toMatch(/cross-entropy/);
    },
  );

  it("names the output block where no loss element is to blame", async () => {
    const failure = await failureWithCode("DOCUMENT_UNSUPPORTED", () => settle({ output: { activation: "relu" } }));
    expect(failure.elementPath).toBe(`${S}/output`);
  });
});

describe("layers", () => {
  it("initial biases go to the first layer and to the others", () => {
    const hidden = ["A", "B"].map((id) => ({ id, size: 2, path: `${S}/hidden`, activation: "relu" as const }));
    const { model } = settle({ hidden, parameters: { biasInput: 0.25, biasHidden: -0.5 } });
    expect(model.inputs).toBe(4);
    expect(denseLayers(model).map(({ name, units, initialBias }) => [name, units, initialBias])).toEqual([
      ["A", 2, 0.25],
      ["B", 2, -0.5],
      ["Out", 3, -0.5],
    ]);
  });

  it("names are made safe for files and tensors, and stay apart", () => {
    const hidden = ["a b", "a/b", "Out", ""].map((id) => ({ id, size: 2, path: S, activation: "relu" as const }));
    const names = settle({ hidden }).model.layers.map(({ name }) => name);
    expect(names).toEqual(["a_b", "a_b_2", "Out", "layer", "Out_2"]);
  });
});

describe("what the document's executionEnvironment asks for", () => {
  const paths = { engine: "/definition/executionEnvironment/e", collective: "/x/c", threads: "/x/t" };
  it("an option overrides it", () => {
    const execution = { engine: "tensorflow", collective: "parameter-server", threads: 4, paths };
    const options = { engine: "wasm", collective: "ring", threads: 1 } as const;
    expect(settle({ execution }, options).workers.value).toBe(1);
  });

  it("what there is, is taken", () => {
    expect(settle({ execution: { engine: "auto", collective: "ring", threads: 1, paths } }).replicas.value).toBe(1);
  });
});
