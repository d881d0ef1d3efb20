import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { blockXml, definitionXml, structureXml } from "./definition-xml.js";

// The shapes of documents in use with ConbexNN and its forks, rebuilt: none of them is valid against the schemas.

function read(xml: string) {
  return readNetwork(new TextEncoder().encode(xml), "net.xml");
}

const endpoints = "<endpoints><train>true</train></endpoints>";
const commented = "<connections>\n<!--<fullconnected><fromblock>Input1</fromblock></fullconnected>-->\n</connections>";
const mnistParameters = `<parameters>
  <valueparameter name="learningrate">0.006</valueparameter>
  <valueparameter name="epochs">1</valueparameter>
  <valueparameter name="batchsize">130</valueparameter>
  <comboparameter name="activationfunction">relu</comboparameter>
  <valueparameter name="seed">123</valueparameter>
  <valueparameter name="momentum">0.9</valueparameter>
  <comboparameter name="dl4jTrainerClass">at.ac.univie.nnworker.dl4j.Dl4jMnistNetworkTrainer</comboparameter>
</parameters>`;

function mnist(...hidden: readonly string[]): string {
  const blocks = [blockXml("input", "Input1", 784), ...hidden, blockXml("output", "Output1", 10), commented];
  return definitionXml({
    endpoints,
    structure: `<structure>${blocks.join("\n")}</structure>`,
    parameters: mnistParameters,
    rest: "<data><description>MNIST</description></data>",
  });
}

describe("documents in use", () => {
  it("reads iris with an activation in its input block and a comment for connections", () => {
    const own = '<parameters><valueparameter name="activationfunction">sigmoid</valueparameter></parameters>';
    const structure = structureXml(commented).replace("<size>4</size>", `<size>4</size>${own}`);
    const network = read(definitionXml({ endpoints, structure }));
    expect(network.input.size).toBe(4);
    expect(network.warnings).toEqual([expect.stringContaining("/definition/structure/input")]);
  });

  it("reads MNIST of dense layers that share an ID, for another program's trainer", () => {
    const hidden = [500, 300, 100].map((size) => blockXml("hidden", "DenseLayer", size));
    const network = read(mnist(...hidden));
    expect(network.hidden.map(({ size, activation }) => [size, activation])).toEqual([
      [500, "relu"],
      [300, "relu"],
      [100, "relu"],
    ]);
    expect(network.parameters).toMatchObject({
      learningRate: 0.006,
      epochs: 1,
      batchSize: 130,
      seed: 123,
      momentum: 0.9,
    });
    expect(network.warnings).toEqual([expect.stringContaining("dl4jTrainerClass")]);
  });

  it("reads MNIST's convolutional network, whose input has the name of its first convolution", () => {
    const sizes: readonly (readonly [string, number])[] = [
      ["Convolutional2", 32],
      ["MaxPooling1", 2],
      ["Convolutional3", 64],
      ["Convolutional4", 64],
      ["MaxPooling2", 2],
      ["Flatten", 1],
      ["DropOut1", 25],
      ["Denselayer1", 512],
      ["DropOut2", 50],
    ];
    const xml = mnist(...sizes.map(([id, size]) => blockXml("hidden", id, size)));
    const network = read(xml.replace("<ID>Input1</ID>", "<ID>Convolutional1</ID>"));
    expect(network.input).toMatchObject({ size: 784, image: [28, 28, 1] });
    expect(network.hidden.map(({ layer, shape, size }) => [layer?.kind ?? "dense", shape?.join("x") ?? size])).toEqual([
      ["conv2d", "26x26x32"],
      ["maxPool", "13x13x32"],
      ["conv2d", "11x11x64"],
      ["conv2d", "9x9x64"],
      ["maxPool", "4x4x64"],
      ["flatten", 1024],
      ["dropout", 1024],
      ["dense", 512],
      ["dropout", 512],
    ]);
    expect(network.hidden.map(({ layer }) => (layer?.kind === "dropout" ? layer.rate : null)).filter(Boolean)).toEqual([
      0.25, 0.5,
    ]);
    expect(network.warnings).toEqual([
      expect.stringContaining("28x28x1 is taken"),
      expect.stringContaining("Convolutional1 only passes its rows on"),
      expect.stringContaining("dl4jTrainerClass"),
    ]);
  });

  it("reads the face network: empty endpoints, a description without sizes, a misspelt parameter", () => {
    const described = `<structure>
      <input><ID>Input1</ID><dimension><min>1</min><max>1</max></dimension>
        <size><min>960</min><max>960</max></size></input>
      <hidden><ID>Hidden1</ID><dimension><min>1</min><max>1024</max></dimension></hidden>
      <output><ID>Output1</ID><dimension><min>1</min><max>1</max></dimension>
        <size><min>1</min><max>1</max></size></output>
      </structure>`;
    const block = (tag: string, id: string, size: number) =>
      `<${tag}><ID>${id}</ID><dimension>1</dimension><size>${size}</size></${tag}>`;
    const definition = definitionXml({
      endpoints: "<endpoints></endpoints>",
      structure: `<structure>${block("input", "Input1", 960)}${block("hidden", "Hidden1", 1024)}
        ${block("output", "Output1", 1)}<connections/></structure>`,
      parameters: `<parameters><valueparameter name="learningrate">0.4</valueparameter>
        <valueparameter name="biasInput">1</valueparameter><valueparameter name="biasHidden">1</valueparameter>
        <valueparameter name="momentum">0.1</valueparameter>
        <comboparameter name="ativationfunction">sigmoid</comboparameter>
        <valueparameter name="threshold">0.00001</valueparameter>
        <comboparameter name="activationfunction">sigmoid</comboparameter></parameters>`,
    });
    const network = read(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
      <vinnsl><identifier>5ab91658e8cc45946600ea11</identifier>
      <description><identifier></identifier>${described}<parameters/></description>${definition}
      <data><identifier>5ab4e69c8f136a16bf81f093</identifier><data><file>5ab4e69c8f136a16bf81f093</file></data></data>
      </vinnsl>`);
    expect(network.hidden).toMatchObject([{ id: "Hidden1", size: 1024, activation: "sigmoid" }]);
    expect(network.output.size).toBe(1);
    expect(network.parameters).toMatchObject({ biasInput: 1, biasHidden: 1, momentum: 0.1, threshold: 0.00001 });
    expect(network).toMatchObject({ identifier: "5ab91658e8cc45946600ea11", warnings: [] });
  });

  it.each([
    [
      "iris/iris.xml",
      [4, 3, 3, 3],
      "tanh",
      { learningRate: 0.1, epochs: 500, seed: 6, labelIndex: 4, testSplit: 0.35 },
    ],
    ["wines/wines.xml", [2, 3, 3, 2], "tanh", { learningRate: 0.1, epochs: 500, seed: 6, labelIndex: 0 }],
    ["mnist/mnist.xml", [784, 528, 10], "relu", { batchSize: 100, epochs: 5 }],
  ] as const)("reads examples/%s without a warning", async (path, sizes, activation, parameters) => {
    const network = readNetwork(await readFile(new URL(`../../../../examples/${path}`, import.meta.url)), path);
    expect([network.input, ...network.hidden, network.output].map(({ size }) => size)).toEqual(sizes);
    expect(new Set(network.hidden.map((block) => block.activation))).toEqual(new Set([activation]));
    expect(network.parameters).toMatchObject(parameters);
    expect(network.warnings).toEqual([]);
  });
});
