import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { definitionXml, parametersXml } from "./definition-xml.js";
import { failureOf } from "./failure-of.js";

function read(parameters: string) {
  return readNetwork(new TextEncoder().encode(definitionXml({ parameters })), "net.xml");
}

function refusal(parameters: string) {
  return failureOf(() => read(parameters));
}

describe("parameters", () => {
  it("reads those about steps, in words and numbers", () => {
    const { parameters } = read(`<parameters>
      <valueparameter name="accumulate">4</valueparameter>
      <valueparameter name="gradientNormalizationThreshold">1.5</valueparameter>
      <comboparameter name="schedule">Polynomial</comboparameter>
      <valueparameter name="finalRate">0.1</valueparameter>
      <valueparameter name="power">2</valueparameter>
      <valueparameter name="warmUp">500 steps</valueparameter>
      <valueparameter name="referenceBatchSize">32</valueparameter>
      <comboparameter name="compress">FP16</comboparameter>
      <comboparameter name="lossScale">1024</comboparameter>
      </parameters>`);
    expect(parameters).toMatchObject({
      ...{ accumulate: 4, clipNorm: 1.5, schedule: "polynomial", finalRate: 0.1, power: 2, referenceBatch: 32 },
      ...{ warmUp: { amount: 500, unit: "steps" }, compress: "fp16", lossScale: 1024 },
    });
    expect(parameters.paths).toMatchObject({ clipNorm: "/definition/parameters/valueparameter[2]" });
    const stepwise = read(parametersXml({ schedule: "step", decay: "0.5", decayEvery: "3", lossscale: "dynamic" }));
    expect(stepwise.parameters).toMatchObject({ schedule: "step", decay: 0.5, decayEvery: 3, lossScale: "dynamic" });
    const rounds = { strategy: "Local-SGD", sync_every: "16", outerLearningRate: "0.7", outermomentum: "0.9" };
    const expected = { strategy: "local-sgd", syncEvery: 16, outerLearningRate: 0.7, outerMomentum: 0.9 };
    expect(read(parametersXml(rounds)).parameters).toMatchObject(expected);
    const topk = read(parametersXml({ compress: "topk", topkFraction: "0.05" }));
    expect(topk.parameters).toMatchObject({ compress: "topk", topkFraction: 0.05 });
  });

  it.each([
    ["schedule", "zigzag", "DOCUMENT_UNSUPPORTED", 'unknown schedule "zigzag"'],
    ["compress", "zip", "DOCUMENT_UNSUPPORTED", 'unknown format of the exchange "zip"'],
    ["topkFraction", "1.5", "DOCUMENT_INVALID", "out of range"],
    ["strategy", "gossip", "DOCUMENT_UNSUPPORTED", 'unknown strategy "gossip"'],
    ["syncEvery", "0", "DOCUMENT_INVALID", "out of range"],
    ["outerMomentum", "1", "DOCUMENT_INVALID", "less than 1"],
    ["warmup", "soon", "DOCUMENT_INVALID", 'the warm-up is "soon"'],
    ["lossscale", "1000", "DOCUMENT_INVALID", 'the loss scale is "1000"'],
    ["gradientNormalizationThreshold", "0", "DOCUMENT_INVALID", "greater than 0"],
    ["accumulate", "1.5", "DOCUMENT_INVALID", "whole number"],
    ["decay", "1.1", "DOCUMENT_INVALID", "out of range"],
  ])("refuses %s = %s", (name, value, code, problem) => {
    const failure = refusal(parametersXml({ [name]: value }));
    expect(failure).toMatchObject({ code, elementPath: "/definition/parameters/valueparameter" });
    expect(JSON.stringify(failure)).toContain(JSON.stringify(problem).slice(1, -1));
  });

  it("reads every parameter, with the path of its element", () => {
    const { parameters, hidden } = read(`<parameters>
      <valueparameter name="learningrate">0.1</valueparameter>
      <valueparameter name="momentum">.9</valueparameter>
      <valueparameter name="biasInput">-1</valueparameter>
      <valueparameter name="biasHidden">+2.5</valueparameter>
      <valueparameter name="threshold">1e-5</valueparameter>
      <valueparameter name="iterations">500</valueparameter>
      <valueparameter name="seed">9007199254740991</valueparameter>
      <valueparameter name="batchsize">128.0</valueparameter>
      <valueparameter name="labelIndex">4</valueparameter>
      <valueparameter name="testsplit">0.35</valueparameter>
      <comboparameter name="optimizer">Adam</comboparameter>
      <comboparameter name="loss">mse</comboparameter>
      <comboparameter name="activationfunction">TanH</comboparameter>
      </parameters>`);
    expect(parameters).toMatchObject({
      learningRate: 0.1,
      momentum: 0.9,
      biasInput: -1,
      biasHidden: 2.5,
      threshold: 0.00001,
      epochs: 500,
      seed: 9007199254740991,
      batchSize: 128,
      labelIndex: 4,
      testSplit: 0.35,
      optimizer: "adam",
      loss: "meanSquaredError",
    });
    expect(parameters.paths).toMatchObject({
      learningRate: "/definition/parameters/valueparameter[1]",
      epochs: "/definition/parameters/valueparameter[6]",
      loss: "/definition/parameters/comboparameter[2]",
    });
    expect(Object.keys(parameters.paths)).toHaveLength(12);
    expect(hidden.map(({ activation }) => activation)).toEqual(["tanh", "tanh"]);
  });

  it("leaves absent parameters absent", () => {
    for (const none of ["", "<parameters/>", "<parameters><!-- none --></parameters>"]) {
      expect(read(none).parameters).toEqual({ paths: {} });
    }
  });

  it.each(["LearningRate", "learning_rate", "LEARNING-RATE", "learning rate"])("knows the spelling %s", (name) => {
    expect(read(parametersXml({ [name]: "0.2" })).parameters.learningRate).toBe(0.2);
  });

  it.each(["boolparameter", "comboparameter", "valueparameter"])("reads a number from a %s", (kind) => {
    expect(read(parametersXml({ learningrate: "0.2" }, kind)).parameters.learningRate).toBe(0.2);
  });

  it.each([
    ["epochs", "7"],
    ["iterations", "7"],
  ])("takes %s as passes over the rows", (name, text) => {
    expect(read(parametersXml({ [name]: text })).parameters.epochs).toBe(7);
  });

  it("takes iterations and epochs together only when they agree", () => {
    expect(read(parametersXml({ iterations: "7", epochs: "7" })).parameters.epochs).toBe(7);
    const failure = refusal(parametersXml({ iterations: "7", epochs: "8" }));
    expect(failure).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/definition/parameters/valueparameter[2]",
    });
    expect(failure).toHaveProperty(
      "problem",
      expect.stringMatching(/epochs is "8".*iterations.*valueparameter\[1\].*"7"/),
    );
  });

  it("knows the misspelt activation of a published document, beside the right one", () => {
    const both = `<comboparameter name="ativationfunction">relu</comboparameter>
      <comboparameter name="activationfunction">relu</comboparameter>`;
    expect(read(`<parameters>${both}</parameters>`).hidden[0]?.activation).toBe("relu");
  });

  it("warns that a DL4J trainer class is not what trains here", () => {
    const { warnings } = read(parametersXml({ dl4jTrainerClass: "at.ac.Dl4jMnistNetworkTrainer" }, "comboparameter"));
    expect(warnings).toEqual([expect.stringMatching(/^\/definition\/parameters\/comboparameter: dl4jTrainerClass/)]);
  });

  it.each(["gradientNormalization", "dropout", "l2", "weightdecay", "toString", "__proto__"])(
    "refuses the parameter %s, naming those that there are",
    (name) => {
      expect(refusal(`<parameters>\n<valueparameter name="${name}">1</valueparameter></parameters>`)).toMatchObject({
        code: "DOCUMENT_UNSUPPORTED",
        file: "net.xml",
        line: expect.any(Number),
        column: 1,
        elementPath: "/definition/parameters/valueparameter",
        problem: `unknown parameter "${name}"`,
        supported: expect.arrayContaining(["learningrate", "iterations", "epochs", "optimizer"]),
      });
    },
  );

  it.each([
    ["learningrate", ["0", "-0.1", "abc", "", "NaN", "Infinity", "1e999", "0x10", "0,1", "1e-999", "1 2", "--1", "1e"]],
    ["momentum", ["1", "-0.1", "1.5", "none"]],
    ["threshold", ["-1", "small"]],
    ["biasInput", ["one", "", "1e400"]],
    ["iterations", ["0", "-5", "1.5", "1000000001", "1e10", "ten"]],
    ["epochs", ["0", "0x5", ""]],
    ["batchsize", ["0", "2.5", "-1", "all"]],
    ["testsplit", ["1", "-0.1", "35%", "1.0"]],
    ["labelIndex", ["-1", "0.5", "last"]],
    ["seed", ["-1", "9007199254740992", "1.5", "now"]],
  ] as const)("refuses values of %s that are out of range or no numbers", (name, texts) => {
    for (const text of texts) {
      const failure = refusal(parametersXml({ [name]: text }));
      expect(failure).toMatchObject({ code: "DOCUMENT_INVALID", elementPath: "/definition/parameters/valueparameter" });
      expect(failure).toHaveProperty("problem", expect.stringContaining(name));
      expect(failure).toHaveProperty("remedy", expect.stringMatching(/^Give a (whole )?number/));
    }
  });

  it.each([
    ["learningrate", "1e-7", "learningRate", 1e-7],
    ["momentum", "0", "momentum", 0],
    ["threshold", "0", "threshold", 0],
    ["iterations", "1000000000", "epochs", 1e9],
    ["testsplit", "0", "testSplit", 0],
    ["testsplit", "-0", "testSplit", 0],
    ["seed", "0", "seed", 0],
    ["labelIndex", "0", "labelIndex", 0],
  ] as const)("accepts %s %s", (name, text, field, value) => {
    expect(read(parametersXml({ [name]: text })).parameters[field]).toBe(value);
  });

  it.each(["sgd", "momentum", "Nesterov", "ADAM", "AdamW", "RMSProp", "AdaGrad"])("knows the optimizer %s", (name) => {
    expect(read(parametersXml({ optimizer: name })).parameters.optimizer).toBe(name.toLowerCase());
  });

  it.each([
    ["crossentropy", "crossEntropy"],
    ["categorical_crossentropy", "crossEntropy"],
    ["MSE", "meanSquaredError"],
    ["meanSquaredError", "meanSquaredError"],
    ["mae", "meanAbsoluteError"],
    ["mean absolute error", "meanAbsoluteError"],
  ])("knows the loss %s", (name, loss) => {
    expect(read(parametersXml({ loss: name })).parameters.loss).toBe(loss);
  });

  it.each([
    ["optimizer", "lbfgs", "adagrad"],
    ["loss", "hinge", "crossentropy"],
    ["activationfunction", "swish", "softmax"],
    ["activationfunction", "", "tanh"],
  ])("refuses the %s %j, naming those that there are", (name, text, known) => {
    expect(refusal(parametersXml({ [name]: text }, "comboparameter"))).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: "/definition/parameters/comboparameter",
      supported: expect.arrayContaining([expect.stringContaining(known)]),
    });
  });

  it("refuses a parameter without a name, with children, or of another kind", () => {
    const path = "/definition/parameters/valueparameter";
    for (const [xml, code, elementPath] of [
      ["<valueparameter>1</valueparameter>", "DOCUMENT_INVALID", path],
      ['<valueparameter name=" ">1</valueparameter>', "DOCUMENT_INVALID", path],
      ['<valueparameter name="seed"><x/></valueparameter>', "DOCUMENT_UNSUPPORTED", `${path}/x`],
      ['<valueparameter name="seed" unit="s">1</valueparameter>', "DOCUMENT_UNSUPPORTED", path],
      ['<listparameter name="seed">1</listparameter>', "DOCUMENT_UNSUPPORTED", "/definition/parameters/listparameter"],
    ] as const) {
      expect(refusal(`<parameters>${xml}</parameters>`)).toMatchObject({ code, elementPath });
    }
  });
});
