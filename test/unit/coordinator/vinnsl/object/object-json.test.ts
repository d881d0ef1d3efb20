import { describe, expect, it } from "vitest";
import { parseVinnslJson } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-json.js";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { toVinnslJson } from "../../../../../coordinator/vinnsl/object/to-vinnsl-json.js";
import { toVinnslXml } from "../../../../../coordinator/vinnsl/object/to-vinnsl-xml.js";
import { readNetwork } from "../../../../../coordinator/vinnsl/read-network.js";
import { connectionsXml, definitionXml, structureXml } from "../definition-xml.js";
import { failureOf } from "../failure-of.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const fromXml = (text: string) => parseVinnslXml(bytesOf(text));
const fromJson = (value: unknown) =>
  parseVinnslJson(bytesOf(typeof value === "string" ? value : JSON.stringify(value)));
const jsonOf = (xml: string) => toVinnslJson(fromXml(xml), { status: "CREATED", dl4jNetwork: null });
const definitionIn = (xml: string) => jsonOf(`<vinnsl>${definitionXml({ parameters: xml })}</vinnsl>`)["definition"];

describe("the JSON of clients", () => {
  it("has all parts, absent ones null, and nncloud last", () => {
    const json = jsonOf("<vinnsl><identifier>5ab9</identifier><definition/></vinnsl>");
    expect(json).toMatchObject({ identifier: "5ab9", description: null, data: null, instance: null, result: null });
    expect(json).toMatchObject({
      trainingresult: null,
      definition: {},
      nncloud: { status: "CREATED", dl4jNetwork: null },
    });
    expect(Object.keys(json).at(-1)).toBe("nncloud");
  });

  it("tells parameters in one list, by name and value of their types, in order", () => {
    const definition = definitionIn(`<parameters>
      <valueparameter name="learningrate">0.1</valueparameter>
      <comboparameter name="activationfunction">tanh</comboparameter>
      <valueparameter name="iterations">500</valueparameter>
      <boolparameter name="shuffle">true</boolparameter></parameters>`);
    expect(definition).toMatchObject({
      parameters: {
        valueparameterOrBoolparameterOrComboparameter: [
          { name: "learningrate", value: 0.1, kind: "valueparameter" },
          { name: "activationfunction", value: "tanh", kind: "comboparameter" },
          { name: "iterations", value: 500, kind: "valueparameter" },
          { name: "shuffle", value: true, kind: "boolparameter" },
        ],
      },
    });
  });

  it("tells a number even where its text is another, and keeps the text", () => {
    const xml = '<parameters><valueparameter name="threshold">1e-4</valueparameter></parameters>';
    const definition = definitionIn(xml);
    const item = { name: "threshold", value: 0.0001, kind: "valueparameter", text: "1e-4" };
    expect(definition).toMatchObject({ parameters: { valueparameterOrBoolparameterOrComboparameter: [item] } });
    expect(toVinnslXml(fromJson({ definition }))).toContain(">1e-4<");
  });

  it("lets a changed value win over the text of the old one", () => {
    const list = { valueparameterOrBoolparameterOrComboparameter: [{ name: "threshold", value: 0.5, text: "1e-4" }] };
    expect(toVinnslXml(fromJson({ definition: { parameters: list } }))).toContain(
      '<valueparameter name="threshold">0.5</valueparameter>',
    );
  });

  it("has hidden blocks in an array, be there none, one or two, and numbers for sizes", () => {
    const json = jsonOf(`<vinnsl>${definitionXml()}</vinnsl>`);
    const hidden = [
      { id: "Hidden1", size: 3 },
      { id: "Hidden2", size: 5 },
    ];
    expect(json["definition"]).toMatchObject({ structure: { input: { id: "Input1", size: 4 }, hidden } });
    const one = definitionXml().replace(/<hidden>.*?<\/hidden>/, "");
    expect(jsonOf(`<vinnsl>${one}</vinnsl>`)["definition"]).toMatchObject({
      structure: { hidden: [{ id: "Hidden2" }] },
    });
    const none = definitionXml().replaceAll(/<hidden>.*?<\/hidden>/g, "");
    expect(jsonOf(`<vinnsl>${none}</vinnsl>`)["definition"]).toMatchObject({ structure: { hidden: [] } });
  });

  it("keeps what the schemas don't know, and says where it stood", () => {
    const xml = "<vinnsl><a>1</a><definition x='y'>t<b c='d'>e</b>u</definition><a>2</a></vinnsl>";
    const json = jsonOf(xml);
    expect(json["a"]).toEqual(["1", "2"]);
    expect(json["#order"]).toEqual(["a", "definition", "a"]);
    expect(json["definition"]).toEqual({
      "@x": "y",
      "#content": ["t", { "#name": "b", "#value": { "@c": "d", "#text": "e" } }, "u"],
    });
    expect(fromJson(json)).toEqual(fromXml(xml));
  });

  it("leaves nncloud out of XML, and what a document says of it out of everything", () => {
    expect(toVinnslXml(fromXml("<vinnsl><nncloud><status>FINISHED</status></nncloud></vinnsl>"))).not.toContain(
      "nncloud",
    );
    expect(toVinnslXml(fromJson({ nncloud: { status: "FINISHED" } }))).not.toContain("nncloud");
  });
});

describe("what clients may send", () => {
  const plain = {
    structure: {
      input: { ID: "Input1", size: 4 },
      hidden: { ID: "Hidden1", size: "3" },
      output: { ID: "Output1", size: 3 },
      connections: { fullconnected: { fromblock: ["Input1", "Hidden1"], toblock: ["Hidden1", "Output1"] } },
    },
    parameters: {
      valueparameter: [
        { name: "learningrate", value: 0.5 },
        { "@name": "iterations", "#text": "7" },
      ],
      comboparameter: { name: "activationfunction", value: "relu" },
    },
  };

  it.each([
    ["plainly by element names", plain],
    [
      "as Jackson writes JAXB's classes",
      {
        structure: {
          input: { id: "Input1", dimension: null, size: 4 },
          hidden: [{ id: "Hidden1", size: 3 }],
          output: { id: "Output1", size: 3 },
          connections: {
            fullconnectedAndShortcuts: [
              {
                fromblockAndToblock: [
                  { name: "fromblock", declaredType: "java.lang.String", scope: "x", value: "Input1", nil: false },
                  { name: "toblock", value: "Hidden1" },
                  { name: "fromblock", value: "Hidden1" },
                  { name: "toblock", value: "Output1" },
                ],
              },
              { fromneuron: null, toneuron: null },
            ],
          },
        },
        parameters: {
          valueparameterOrBoolparameterOrComboparameter: [
            { name: "learningrate", value: 0.5 },
            { name: "iterations", value: "7" },
            { name: "activationfunction", value: "relu" },
          ],
        },
        data: null,
      },
    ],
  ])("a definition %s", (_how, definition) => {
    const xml = toVinnslXml(fromJson({ identifier: null, definition, nncloud: null }));
    const network = readNetwork(bytesOf(xml), null);
    expect(network).toMatchObject({
      input: { id: "Input1", size: 4 },
      hidden: [{ id: "Hidden1", size: 3, activation: "relu" }],
      parameters: { learningRate: 0.5, epochs: 7 },
    });
    expect(xml).toContain('<valueparameter name="iterations">7</valueparameter>');
    expect(xml).toContain('<comboparameter name="activationfunction">relu</comboparameter>');
  });

  it("means the same in XML and in JSON", () => {
    const connections = connectionsXml(["Input1", "Hidden2"], ["Hidden2", "Hidden1"], ["Hidden1", "Output1"]);
    const xml = `<vinnsl>${definitionXml({ structure: structureXml(connections) })}</vinnsl>`;
    const again = toVinnslXml(fromJson(jsonOf(xml)));
    const { hidden, parameters, problem } = readNetwork(bytesOf(xml), null);
    expect(readNetwork(bytesOf(again), null)).toMatchObject({ hidden, parameters, problem });
  });

  it("takes a bare definition or description in XML, and an object under its name in JSON", () => {
    expect(toVinnslXml(fromXml(definitionXml()))).toContain("<vinnsl>\n  <definition>");
    expect(toVinnslXml(fromXml("<description/>"))).toContain("<vinnsl>\n  <description/>");
    expect(fromJson({ vinnsl: { definition: { a: 1 } } })).toEqual(fromJson({ definition: { a: 1 } }));
  });
});

describe("what is refused", () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

  it.each([
    ["no JSON", "{", null, /ends too early/],
    ["something behind the end", "{} x", null, /the end of the document/],
    ["a list", "[]", "/vinnsl", /a list/],
    ["a key twice", '{"data":{},"data":{}}', "/vinnsl/data", /"data" occurs twice/],
    ["__proto__", '{"definition":{"__proto__":{}}}', "/vinnsl/definition/__proto__", /refused for safety/],
    ["constructor", '{"definition":{"constructor":1}}', "/vinnsl/definition/constructor", /refused for safety/],
    ["__proto__ as attribute", '{"definition":{"@__proto__":"x"}}', "/vinnsl/definition", /refused for safety/],
    ["a part that is a number", '{"definition":5}', "/vinnsl/definition", /"definition" is a number/],
    ["a part that is a list", '{"result":[{}]}', "/vinnsl/result", /"result" is a list/],
    ["an identifier that is an object", '{"identifier":{}}', "/vinnsl/identifier", /an object/],
    [
      "parameters that are no list",
      '{"definition":{"parameters":{"valueparameterOrBoolparameterOrComboparameter":{"name":"a"}}}}',
      "/vinnsl/definition/parameters/valueparameterOrBoolparameterOrComboparameter",
      /not a list/,
    ],
    [
      "a parameter of an unknown kind",
      '{"definition":{"parameters":{"valueparameterOrBoolparameterOrComboparameter":[{"kind":"x"}]}}}',
      "/vinnsl/definition/parameters/valueparameterOrBoolparameterOrComboparameter[1]",
      /kind is "x"/,
    ],
    [
      "a list inside a list",
      '{"definition":{"structure":{"hidden":[{"size":3},[]]}}}',
      "/vinnsl/definition/structure/hidden[2]",
      /a list stands where/,
    ],
    ["a null inside a list", '{"x":{"y":[null]}}', "/vinnsl/x/y", /null stands where/],
    ["a key that is no name", '{"definition":{"a b":1}}', "/vinnsl/definition/a b", /can't be the name/],
    ["a mark of no meaning", '{"definition":{"#what":1}}', "/vinnsl/definition/#what", /can't be the name/],
    ["a number out of range", '{"definition":{"a":1e999}}', "/vinnsl/definition/a", /out of range/],
    ["a character that XML can't hold", '{"definition":{"a":"\\u0000"}}', "/vinnsl/definition/a", /U\+0000/],
    ["half a surrogate pair", '{"definition":{"a":"\\ud800"}}', "/vinnsl/definition/a", /U\+D800/],
    ["text beside children", '{"definition":{"#text":"a","b":1}}', "/vinnsl/definition", /a text and children/],
    ["text in the wrapper", '{"#text":"a"}', "/vinnsl", /holds text/],
    ["a part under two names", '{"data":{},"dataschema":{}}', "/vinnsl/dataschema", /the same part/],
    ["too deep elements", `{"a":${deep(70)}}`, `/vinnsl${"/a".repeat(64)}`, /deeper than 64/],
    ["a syntax error in a list", '{"vinnsl":{"a":{"b":[1,{"c":tru}]}}}', "/vinnsl/a/b[2]/c", /where a value/],
    ["too deep values", deep(300), `/vinnsl${"/a".repeat(64)}`, /deeper than 200/],
  ])("%s", (_what, text, elementPath, problem) => {
    const failure = failureOf(() => fromJson(text));
    expect(failure).toMatchObject({ code: "DOCUMENT_INVALID", elementPath, problem: expect.stringMatching(problem) });
    expect(failure).toMatchObject({ line: expect.any(Number), remedy: expect.stringMatching(/./) });
  });

  it("names the line and the column", () => {
    const text = '{\n  "definition": {\n    "structure": { "hidden": [{ "size": {} }, { "size": [[]] }] }\n  }\n}';
    const elementPath = "/vinnsl/definition/structure/hidden[2]/size";
    const column = (text.split("\n")[2] ?? "").indexOf("[[") + 2;
    expect(failureOf(() => fromJson(text))).toMatchObject({ line: 3, column, elementPath });
  });

  it("too large or too many", () => {
    expect(failureOf(() => parseVinnslJson(bytesOf('{"a":1}'), { maxSizeBytes: 6 }))).toMatchObject({
      code: "DOCUMENT_INVALID",
      problem: expect.stringContaining("7 bytes"),
    });
    expect(failureOf(() => parseVinnslJson(bytesOf("[1,2,3]"), { maxValues: 3 }))).toMatchObject({
      problem: expect.stringContaining("more than 3 values"),
    });
    const many = { a: Array.from({ length: 200_001 }, () => "") };
    expect(failureOf(() => fromJson(many))).toMatchObject({ problem: expect.stringContaining("200000 elements") });
    expect(failureOf(() => parseVinnslJson(new Uint8Array([0xff])))).toMatchObject({
      problem: expect.stringContaining("UTF-8"),
    });
  });

  it.each([
    ["another root", "<other/>", "DOCUMENT_UNSUPPORTED", "/other"],
    ["a part twice", "<vinnsl><data/>\n<data/></vinnsl>", "DOCUMENT_INVALID", "/vinnsl/data[2]"],
    ["text in the wrapper", "<vinnsl>x</vinnsl>", "DOCUMENT_INVALID", "/vinnsl"],
    ["__proto__", "<vinnsl><definition><__proto__/></definition></vinnsl>", "DOCUMENT_INVALID", null],
    ["prototype", "<vinnsl><a><prototype/></a></vinnsl>", "DOCUMENT_INVALID", null],
    ["__proto__ as attribute", "<vinnsl __proto__='x'/>", "DOCUMENT_INVALID", null],
  ])("%s in XML", (_what, xml, code, elementPath) => {
    const failure = failureOf(() => fromXml(xml));
    expect(failure).toMatchObject({ code, line: expect.any(Number) });
    if (elementPath !== null) expect(failure).toMatchObject({ elementPath });
  });
});
