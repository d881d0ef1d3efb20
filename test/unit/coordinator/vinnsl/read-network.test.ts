import { describe, expect, it } from "vitest";
import type { NetworkDefinition } from "../../../../coordinator/vinnsl/network-definition.js";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { exitCodeOf } from "../../../../shared/failure.js";
import { blockXml, definitionXml, parametersXml, structureXml } from "./definition-xml.js";
import { failureOf } from "./failure-of.js";

function read(xml: string): NetworkDefinition {
  return readNetwork(new TextEncoder().encode(xml), "net.xml");
}

function refusal(xml: string) {
  return failureOf(() => read(xml));
}

/** Line of the first occurrence of `part`. */
function lineOf(xml: string, part: string): number {
  return xml.slice(0, xml.indexOf(part)).split("\n").length;
}

describe("readNetwork", () => {
  it("reads a definition with the schema's shapes", () => {
    expect(read(definitionXml({ identifier: "<identifier>net-1</identifier>" }))).toEqual({
      identifier: "net-1",
      name: "net-1",
      problem: "classification",
      input: { id: "Input1", size: 4, path: "/definition/structure/input" },
      hidden: [
        { id: "Hidden1", size: 3, path: "/definition/structure/hidden[1]", activation: "sigmoid" },
        { id: "Hidden2", size: 5, path: "/definition/structure/hidden[2]", activation: "sigmoid" },
      ],
      output: { id: "Output1", size: 3, path: "/definition/structure/output", activation: null },
      parameters: { learningRate: 0.1, paths: { learningRate: "/definition/parameters/valueparameter" } },
      execution: { paths: {} },
      dataSchemaId: null,
      warnings: [],
    });
  });

  it("reads the shapes that published documents have: metadata, nested endpoints, no connections", () => {
    const metadata = `<metadata><paradigm>p</paradigm><name>My net</name><description>d</description>
      <version><major>1</major><minor>0</minor></version></metadata>
      <creator><name>n</name><contact>c</contact></creator>`;
    const network = read(
      definitionXml({
        identifier: `<identifier><!-- will be generated --></identifier>${metadata}`,
        endpoints: "<endpoints><train>true</train></endpoints>",
        structure: structureXml(""),
        problemDomain: `<problemDomain><propagationType type="feedforward"><learningType>supervised</learningType>
          </propagationType><applicationField>Deep Learning</applicationField><applicationField>EMS</applicationField>
          <networkType>Backpropagation</networkType><problemType>Deep Learning</problemType></problemDomain>`,
        rest: `<resultSchema><instance>true</instance><training>true</training></resultSchema>
          <data><description>rows</description><dataSchemaID>name/iris.txt</dataSchemaID></data><instanceSchemaID/>`,
      }),
    );
    expect(network).toMatchObject({ identifier: null, name: "My net", problem: "classification" });
    expect(network).toMatchObject({ dataSchemaId: "name/iris.txt", warnings: [] });
  });

  it.each([
    "",
    "<endpoints/>",
    "<endpoints></endpoints>",
    "<endpoints>train</endpoints>",
    "<endpoints>Train, retrain</endpoints>",
    "<endpoints><train>TRUE</train><retrain>false</retrain></endpoints>",
    "<endpoints><train>1</train></endpoints>",
  ])("accepts the endpoints %j", (endpoints) => {
    expect(read(definitionXml({ endpoints })).input.size).toBe(4);
  });

  it.each([
    ["<endpoints>retrain</endpoints>", "DOCUMENT_UNSUPPORTED", "/definition/endpoints"],
    ["<endpoints><train>false</train></endpoints>", "DOCUMENT_UNSUPPORTED", "/definition/endpoints"],
    ["<endpoints><retrain>true</retrain></endpoints>", "DOCUMENT_UNSUPPORTED", "/definition/endpoints"],
    ["<endpoints>serve</endpoints>", "DOCUMENT_UNSUPPORTED", "/definition/endpoints"],
    ["<endpoints><serve>true</serve></endpoints>", "DOCUMENT_UNSUPPORTED", "/definition/endpoints/serve"],
    ["<endpoints><train>maybe</train></endpoints>", "DOCUMENT_INVALID", "/definition/endpoints/train"],
    ["<endpoints>train<train>true</train></endpoints>", "DOCUMENT_INVALID", "/definition/endpoints"],
  ])("refuses the endpoints %j", (endpoints, code, elementPath) => {
    expect(refusal(definitionXml({ endpoints }))).toMatchObject({ code, elementPath, line: 9 });
  });

  it("names an unknown element, its place and what is known there", () => {
    const xml = definitionXml({ rest: "<optimise>now</optimise>" });
    const failure = refusal(xml);
    expect(failure).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      file: "net.xml",
      line: lineOf(xml, "<optimise>"),
      column: 1,
      elementPath: "/definition/optimise",
      supported: expect.arrayContaining(["<structure>", "<parameters>"]),
    });
    expect(exitCodeOf(failure.code)).toBe(3);
  });

  it.each([
    ["<definition><structure/><structure/></definition>", "/definition/structure[2]"],
    [definitionXml({ rest: "<parameters/>" }), "/definition/parameters[2]"],
    [definitionXml({ structure: structureXml(blockXml("output", "O", 1)) }), "/definition/structure/output[2]"],
    ["<vinnsl><definition/><definition/></vinnsl>", "/vinnsl/definition[2]"],
  ])("refuses a second element where one belongs: %#", (xml, elementPath) => {
    expect(refusal(xml)).toMatchObject({ code: "DOCUMENT_INVALID", elementPath, line: expect.any(Number) });
  });

  it("refuses unknown attributes and text between elements", () => {
    const attribute = definitionXml().replace("<structure>", '<structure kind="deep">');
    expect(refusal(attribute)).toMatchObject({ code: "DOCUMENT_UNSUPPORTED", elementPath: "/definition/structure" });
    const text = definitionXml().replace("<structure>", "<structure>4-3-3");
    const failure = refusal(text);
    expect(failure).toMatchObject({ code: "DOCUMENT_INVALID", elementPath: "/definition/structure" });
    expect(failure).toHaveProperty("problem", expect.stringContaining("4-3-3"));
  });

  it.each(["<instanceschema/>", "<description/>", "<html/>"])("refuses the root element %s", (xml) => {
    expect(refusal(xml)).toMatchObject({ code: "DOCUMENT_UNSUPPORTED", supported: ["<vinnsl>", "<definition>"] });
  });

  it("refuses documents without a definition, structure, input or output", () => {
    expect(refusal("<vinnsl/>")).toMatchObject({ elementPath: "/vinnsl", remedy: "Add a <definition> element" });
    expect(refusal("<definition/>")).toMatchObject({ elementPath: "/definition", remedy: "Add a <structure> element" });
    const [input, output] = [blockXml("input", "I", 1), blockXml("output", "O", 1)];
    for (const [block, missing] of [
      [output, "input"],
      [input, "output"],
    ] as const) {
      expect(refusal(`<definition><structure>${block}</structure></definition>`)).toMatchObject({
        code: "DOCUMENT_INVALID",
        elementPath: "/definition/structure",
        remedy: `Add a <${missing}> element`,
      });
    }
  });

  it("refuses to pretend that training goes on from an instance", () => {
    const failure = refusal(definitionXml({ rest: "<instanceSchemaID>abc</instanceSchemaID>" }));
    expect(failure).toMatchObject({ code: "DOCUMENT_UNSUPPORTED", elementPath: "/definition/instanceSchemaID" });
  });

  it("reads a namespaced document", () => {
    const xml = `<v:definition xmlns:v="urn:vinnsl">
      <v:structure><v:input><v:ID>I</v:ID><v:size>2</v:size></v:input>
      <v:output><v:ID>O</v:ID><v:size>1</v:size></v:output></v:structure></v:definition>`;
    expect(read(xml)).toMatchObject({ input: { id: "I", size: 2 }, hidden: [], output: { id: "O", size: 1 } });
  });

  it("takes identifier, name and problem from where the wrapper has them, and warns of weights it won't use", () => {
    const network = read(`<vinnsl>
      <identifier>5ab91658e8cc45946600ea11</identifier>
      <description><metadata><name>Faces</name></metadata>
        <problemDomain><problemType>Approximators</problemType></problemDomain></description>
      ${definitionXml({ problemDomain: "" })}
      <data><identifier>x</identifier><data><file>y</file></data></data>
      <instance><weightmatrix>1 2 3</weightmatrix></instance>
      </vinnsl>`);
    expect(network).toMatchObject({ identifier: "5ab91658e8cc45946600ea11", name: "Faces", problem: "regression" });
    expect(network.warnings).toEqual([expect.stringContaining("/vinnsl/instance: its weights are not used")]);
  });

  describe("problem domain", () => {
    const domain = (parts: Readonly<Record<string, string>>, type = "feedforward") => {
      const { learningType = "supervised", networkType = "Backpropagation", problemType = "Classifiers" } = parts;
      return `<problemDomain>
        <propagationType type="${type}"><learningType>${learningType}</learningType></propagationType>
        <networkType>${networkType}</networkType>\n<problemType>${problemType}</problemType></problemDomain>`;
    };
    const readDomain = (xml: string) => read(definitionXml({ problemDomain: xml }));

    it.each([
      ["Classifiers", "classification"],
      ["classifiers", "classification"],
      ["DeepLearning", "classification"],
      ["Deep Learning", "classification"],
      ["deep_learning", "classification"],
      ["Approximators", "regression"],
    ])("takes %s as %s", (problemType, problem) => {
      expect(readDomain(domain({ problemType }))).toMatchObject({ problem, warnings: [] });
    });

    it.each(["", "<problemDomain/>", domain({ problemType: "" })])("takes Classifiers, and says so, for %j", (xml) => {
      const { problem, warnings } = readDomain(xml);
      expect(problem).toBe("classification");
      expect(warnings).toEqual([expect.stringMatching(/^\/definition.*Classifiers is taken/)]);
    });

    it.each(["Perceptron", "CNN", "backpropagation", "BACK-PROPAGATION", ""])(
      "accepts the network type %j",
      (networkType) => {
        expect(readDomain(domain({ networkType })).problem).toBe("classification");
      },
    );

    it.each(["Clustering", "Memory", "Optimisation", "Poetry"])("refuses the problem type %s", (problemType) => {
      expect(refusal(definitionXml({ problemDomain: domain({ problemType }) }))).toMatchObject({
        code: "DOCUMENT_UNSUPPORTED",
        elementPath: "/definition/problemDomain/problemType",
        supported: ["Classifiers", "Approximators", "DeepLearning"],
      });
    });

    it.each(["Kohonen", "Hopfield", "Elman-Net", "ART"])("refuses the network type %s", (networkType) => {
      expect(refusal(definitionXml({ problemDomain: domain({ networkType }) }))).toMatchObject({
        code: "DOCUMENT_UNSUPPORTED",
        elementPath: "/definition/problemDomain/networkType",
        supported: ["Backpropagation", "Perceptron", "CNN"],
      });
    });

    it.each([
      [domain({}, "recurrent"), "propagationType", ["feedforward"]],
      [domain({}, "feedback"), "propagationType", ["feedforward"]],
      [domain({ learningType: "unsupervised" }), "propagationType/learningType", ["supervised", "trained"]],
      [domain({ learningType: "definedconstructed" }), "propagationType/learningType", ["supervised", "trained"]],
    ])("refuses what isn't supervised and feed-forward: %#", (problemDomain, path, supported) => {
      expect(refusal(definitionXml({ problemDomain }))).toMatchObject({
        code: "DOCUMENT_UNSUPPORTED",
        elementPath: `/definition/problemDomain/${path}`,
        supported,
      });
    });
  });

  it("keeps the reader's hands off the input of a caller", () => {
    const bytes = new TextEncoder().encode(definitionXml({ parameters: parametersXml({ seed: "1" }) }));
    const before = bytes.slice();
    readNetwork(bytes, null);
    expect(bytes).toEqual(before);
  });
});
