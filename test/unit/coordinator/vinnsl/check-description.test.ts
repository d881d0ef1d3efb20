import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { definitionXml } from "./definition-xml.js";
import { failureOf } from "./failure-of.js";

interface Family {
  readonly hidden1?: string;
  readonly hidden2?: string;
  readonly output?: string;
  readonly more?: string;
  readonly connections?: string;
}

const size = (min: number, max: number) => `<size><min>${min}</min><max>${max}</max></size>`;

function documentXml(family: Family, definition = definitionXml()): string {
  const { hidden1 = size(1, 10), hidden2 = size(5, 5), output = size(3, 3), more = "", connections = "" } = family;
  return `<vinnsl>
<description>
${more}
<structure>
<input><ID>Input1</ID>${size(4, 4)}</input>
<hidden><ID>Hidden1</ID>${hidden1}</hidden>
<hidden><ID>Hidden2</ID>${hidden2}</hidden>
<output><ID>Output1</ID>${output}</output>
${connections}
</structure>
</description>
${definition}
</vinnsl>`;
}

function read(xml: string) {
  return readNetwork(new TextEncoder().encode(xml), "net.xml");
}

function refusal(xml: string) {
  return failureOf(() => read(xml));
}

describe("a description", () => {
  it("allows what lies within its ranges", () => {
    expect(read(documentXml({})).hidden).toHaveLength(2);
  });

  it.each([
    "",
    "<size/>",
    "<size>3</size>",
    "<size><min>3</min></size>",
    "<size><max>3</max></size>",
    "<dimension><min>1</min><max>1024</max></dimension>",
    "<activation>sigmoid</activation>",
  ])("leaves open what it doesn't say: %j", (hidden1) => {
    expect(read(documentXml({ hidden1 })).hidden[0]?.size).toBe(3);
  });

  it("refuses a size outside, naming both places", () => {
    const xml = documentXml({ hidden2: size(6, 9) });
    const failure = refusal(xml);
    const described = xml.slice(0, xml.indexOf(size(6, 9))).split("\n").length;
    expect(failure).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/vinnsl/definition/structure/hidden[2]/size",
      problem: expect.stringContaining(`/vinnsl/description/structure/hidden[2]/size, line ${described}`),
    });
    expect(failure).toHaveProperty("problem", expect.stringMatching(/size 5 .*6 to 9/));
    expect(failure).toHaveProperty("line", xml.slice(0, xml.lastIndexOf("<size>5<")).split("\n").length);
  });

  it("pairs hidden blocks by ID, or by position where IDs don't tell", () => {
    const swapped = documentXml({ hidden1: size(5, 5), hidden2: size(3, 3) });
    expect(refusal(swapped).code).toBe("DOCUMENT_INVALID");
    const byId = swapped
      .replace("<ID>Hidden1</ID><size><min>", "<ID>X</ID><size><min>")
      .replace("<ID>Hidden2</ID><size><min>", "<ID>Hidden1</ID><size><min>")
      .replace("<ID>X</ID><size><min>", "<ID>Hidden2</ID><size><min>");
    expect(read(byId).hidden).toHaveLength(2);
    const anonymous = documentXml({ hidden1: size(3, 3), hidden2: size(5, 5) }).replace(
      /<ID>Hidden\d<\/ID><size><min>/g,
      "<ID>Dense</ID><size><min>",
    );
    expect(read(anonymous).hidden).toHaveLength(2);
  });

  it("refuses another number of hidden blocks, another dimension, and an empty range", () => {
    const fewer = documentXml({}).replace(/<hidden><ID>Hidden2<\/ID><size><min>.*<\/hidden>/, "");
    expect(refusal(fewer)).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/vinnsl/definition/structure/hidden[2]",
      problem: expect.stringContaining("2 hidden blocks"),
    });
    const dimension = documentXml({ output: "<dimension><min>2</min><max>3</max></dimension>" });
    const withDimension = dimension.replace(
      "<size>3</size></output>",
      "<dimension>1</dimension><size>3</size></output>",
    );
    expect(read(dimension).output.size).toBe(3);
    expect(refusal(withDimension)).toMatchObject({ elementPath: "/vinnsl/definition/structure/output/dimension" });
    expect(refusal(documentXml({ output: size(3, 2) }))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/vinnsl/description/structure/output/size",
    });
  });

  it("refuses contradictions of its problem domain and a family that can't be trained", () => {
    const domain = (problemType: string) => `<problemDomain><problemType>${problemType}</problemType></problemDomain>`;
    expect(refusal(documentXml({ more: domain("Approximators") }))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/vinnsl/definition/problemDomain/problemType",
      problem: expect.stringContaining("/vinnsl/description/problemDomain"),
    });
    expect(read(documentXml({ more: domain("Deep Learning") })).problem).toBe("classification");
    const endpoints = "<endpoints><train>false</train></endpoints>";
    expect(refusal(documentXml({ more: endpoints }))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/vinnsl/description/endpoints/train",
    });
  });

  it("declares parameter names and environments for people only, but knows their elements", () => {
    const more = `<executionEnvironment><serial>true</serial></executionEnvironment>
      <executionEnvironment/><parameters><valueparameter>learningrate</valueparameter></parameters>
      <data><description>d</description><tabledescription/><filedescription/></data>`;
    expect(read(documentXml({ more })).hidden).toHaveLength(2);
    expect(refusal(documentXml({ more: "<weights/>" }))).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: "/vinnsl/description/weights",
    });
  });

  it("may allow full connections, shortcuts, or both; full ones alone exclude shortcuts", () => {
    for (const kind of ["fullconnected", "shortcuts", "mixed", ""]) {
      expect(read(documentXml({ connections: `<connections>${kind}</connections>` })).hidden).toHaveLength(2);
    }
    expect(refusal(documentXml({ connections: "<connections>sparse</connections>" }))).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: "/vinnsl/description/structure/connections",
      supported: ["fullconnected", "shortcuts", "mixed"],
    });
    const shortcut = "<shortcuts><fromneuron>Input1</fromneuron><toneuron>Output1</toneuron></shortcuts>";
    const withShortcut = (kind: string) =>
      documentXml({ connections: `<connections>${kind}</connections>` }).replace(
        "<connections/>",
        `<connections>${shortcut}</connections>`,
      );
    expect(read(withShortcut("mixed")).output.shortcuts).toEqual([-1]);
    expect(refusal(withShortcut("fullconnected"))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/vinnsl/definition/structure/connections/shortcuts/toneuron",
      problem: expect.stringContaining("/vinnsl/description/structure/connections"),
      remedy: expect.stringContaining("mixed"),
    });
  });
});
