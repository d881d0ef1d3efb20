import { describe, expect, it } from "vitest";
import { applyFile, filesOf } from "../../../../../coordinator/vinnsl/object/apply-file.js";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { type PartRoute, replacePart } from "../../../../../coordinator/vinnsl/object/replace-part.js";
import { toVinnslJson } from "../../../../../coordinator/vinnsl/object/to-vinnsl-json.js";
import { toVinnslXml } from "../../../../../coordinator/vinnsl/object/to-vinnsl-xml.js";
import { withIdentifier } from "../../../../../coordinator/vinnsl/object/vinnsl-object.js";
import { failureOf } from "../failure-of.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const object = (xml: string) => parseVinnslXml(bytesOf(xml));
const layout = (xml: string) => toVinnslXml(object(xml));

describe("replacing a part", () => {
  it.each([
    ["definition", "definition", "definition"],
    ["instanceschema", "instanceschema", "instance"],
    ["instanceschema", "instance", "instance"],
    ["resultschema", "resultschema", "result"],
    ["resultschema", "result", "result"],
    ["trainingresult", "trainingresult", "trainingresult"],
    ["trainingresult", "trainingresultschema", "trainingresult"],
  ] as const)("by PUT …/%s with a <%s> or as JSON", (route: PartRoute, root, part) => {
    const whole = object(`<vinnsl><identifier>1</identifier><${part}><old/></${part}><x/></vinnsl>`);
    const expected = layout(
      `<vinnsl><identifier>1</identifier><${part}><identifier>2</identifier></${part}><x/></vinnsl>`,
    );
    const bodies = [
      { bytes: bytesOf(`<${root}><identifier>2</identifier></${root}>`), format: "xml" },
      { bytes: bytesOf('{"identifier": 2}'), format: "json" },
      { bytes: bytesOf(`{"${root}": {"identifier": "2"}}`), format: "json" },
    ] as const;
    for (const body of bodies) expect(toVinnslXml(replacePart(whole, route, body))).toBe(expected);
  });

  it("puts a new part where parts stand in order, and takes the place of one under another name", () => {
    const body = { bytes: bytesOf("<definition/>"), format: "xml" } as const;
    const added = replacePart(object("<vinnsl><description/><x/><data/></vinnsl>"), "definition", body);
    expect(toVinnslXml(added)).toBe(layout("<vinnsl><description/><x/><definition/><data/></vinnsl>"));
    const renamed = replacePart(object("<vinnsl><resultschema/><x/></vinnsl>"), "resultschema", {
      bytes: bytesOf("<result><file>f</file></result>"),
      format: "xml",
    });
    expect(toVinnslXml(renamed)).toBe(layout("<vinnsl><result><file>f</file></result><x/></vinnsl>"));
  });

  it("refuses another part, naming those that belong there", () => {
    const body = { bytes: bytesOf("<definition/>"), format: "xml" } as const;
    expect(failureOf(() => replacePart(object("<vinnsl/>"), "trainingresult", body))).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: "/definition",
      supported: ["<trainingresult>", "<trainingresultschema>"],
    });
    const list = { bytes: bytesOf("[]"), format: "json" } as const;
    expect(failureOf(() => replacePart(object("<vinnsl/>"), "definition", list))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/definition",
    });
  });

  it("gives the object the name that the service knows it by", () => {
    const named = withIdentifier(object("<vinnsl><definition/></vinnsl>"), "5ab9");
    expect(toVinnslXml(named)).toBe(layout("<vinnsl><identifier>5ab9</identifier><definition/></vinnsl>"));
    expect(toVinnslJson(withIdentifier(named, "7"), null)["identifier"]).toBe("7");
  });
});

describe("applying a file", () => {
  const definition = "<definition><parameters/><data><description>irises</description></data></definition>";

  it("names it in data and definition, and keeps the description", () => {
    const applied = applyFile(object(`<vinnsl>${definition}</vinnsl>`), "64af", "iris.txt");
    expect(toVinnslXml(applied)).toBe(
      layout(`<vinnsl><definition><parameters/><data><description>irises</description>
        <dataSchemaID>64af</dataSchemaID></data></definition>
        <data><identifier>64af</identifier><data><file>64af</file></data></data></vinnsl>`),
    );
    expect(filesOf(applied)).toEqual({ data: "64af", labels: null });
  });

  it("takes the place of an earlier file, and leaves everything else", () => {
    const first = applyFile(object(`<vinnsl>${definition}</vinnsl>`), "64af", "iris.txt");
    const second = applyFile(first, "77", "wines.csv");
    expect(toVinnslXml(second)).toBe(toVinnslXml(first).replaceAll("64af", "77"));
  });

  it.each([["labels", "images"] as const, ["images", "labels"] as const])(
    "takes images and labels, %s first",
    (...order) => {
      const names = { images: "train-images-idx3-ubyte.gz", labels: "train-labels-idx1-ubyte.gz" };
      const applied = order.reduce(
        (whole, what) => applyFile(whole, `id-of-${what}`, names[what]),
        object(`<vinnsl>${definition}</vinnsl>`),
      );
      expect(filesOf(applied)).toEqual({ data: "id-of-images", labels: "id-of-labels" });
      expect(toVinnslXml(applied)).toContain("<dataSchemaID>id-of-images</dataSchemaID>");
      expect(filesOf(applyFile(applied, "9", "iris.csv"))).toEqual({ data: "9", labels: null });
      expect(filesOf(applyFile(applied, "9", "labels.csv"))).toEqual({ data: "9", labels: null });
    },
  );

  it("needs a definition, and says how to give one", () => {
    expect(failureOf(() => applyFile(object("<vinnsl><description/></vinnsl>"), "1", "a.csv"))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: "/vinnsl",
      remedy: expect.stringContaining("PUT /vinnsl/{id}/definition"),
    });
  });
});
