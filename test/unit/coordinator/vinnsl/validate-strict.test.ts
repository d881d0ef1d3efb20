import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { validateStrict } from "../../../../coordinator/vinnsl/validate-strict.js";
import { definitionXml } from "./definition-xml.js";
import { failureOfAsync } from "./failure-of.js";

const examples = ["iris/iris.xml", "wines/wines.xml", "mnist/mnist.xml", "cnn/mnist-cnn.xml"];

async function findingsOf(xml: string) {
  return await validateStrict(new TextEncoder().encode(xml), "net.xml");
}

describe("validateStrict", () => {
  it.each(examples)("finds nothing in examples/%s", async (path) => {
    const bytes = await readFile(new URL(`../../../../examples/${path}`, import.meta.url));
    expect(await validateStrict(bytes, path)).toEqual([]);
  });

  it("names line and element of a size that is no positive number", async () => {
    const xml = await readFile(new URL("../../../../examples/iris/iris.xml", import.meta.url), "utf8");
    const broken = xml.replace("<size>3</size>", "<size>0</size>");
    const line = broken.slice(0, broken.indexOf("<size>0</size>")).split("\n").length;
    const findings = await findingsOf(broken);
    expect(findings.length).toBeGreaterThan(0);
    expect(findings[0]).toMatchObject({ line, elementPath: "/vinnsl/definition/structure/hidden[1]/size" });
    expect(findings[0]?.message).toContain("'0'");
  });

  it("finds the shapes that published documents have against the schema", async () => {
    const findings = await findingsOf(definitionXml({ endpoints: "<endpoints><train>true</train></endpoints>" }));
    expect(findings.map(({ elementPath }) => elementPath)).toContain("/definition/endpoints");
  });

  it("finds what layers have beyond the schema: sizes of an image, and blocks' own parameters", async () => {
    const bytes = await readFile(new URL("../../../../examples/cnn/digits-cnn.xml", import.meta.url));
    const paths = (await validateStrict(bytes, "digits-cnn.xml")).map(({ elementPath }) => elementPath);
    expect(paths).toContain("/definition/structure/input/dimension");
    expect(paths).toContain("/definition/structure/hidden[1]/parameters");
  });

  it("finds a missing element and one in the wrong order", async () => {
    const missing = await findingsOf("<definition><identifier>a</identifier></definition>");
    expect(missing[0]?.message).toContain("problemDomain");
    const order = await findingsOf("<vinnsl><definition/><definition/></vinnsl>");
    expect(order.length).toBeGreaterThan(0);
  });

  it("finds nothing in valid documents of the four other schemas", async () => {
    const date = "<identifier>a</identifier><creationdate>2020-02-29</creationdate>";
    const environment = `<executionEnvironment><serial>true</serial><parallel>
      <software><data><structural><spmd><cluster version="1">any</cluster></spmd></structural></data></software>
      <hardware><general><valueparameter name="workers">4</valueparameter></general></hardware>
      </parallel></executionEnvironment>`;
    const propagation = `<propagationType type="feedforward"><learningType>trained</learningType></propagationType>`;
    const block = (name: string) => `<${name}><ID>${name}</ID><dimension>1</dimension><size>2</size></${name}>`;
    const data = `<dataschema>${date}<data><table><netinput>1 2.5</netinput><netoutput>0</netoutput></table></data>
      </dataschema>`;
    const result = `<resultschema><identifier>a</identifier><instanceSchemaID>b</instanceSchemaID>
      <creationdate>2020-02-29</creationdate><table><input>1</input><output>0.5</output></table></resultschema>`;
    const instance = `<instanceschema>${date}<structure>${block("input")}${block("output")}
      <connections><fullconnected><fromblock>input</fromblock><toblock>output</toblock></fullconnected></connections>
      </structure>${environment}<problemDomain><networkType>Perceptron</networkType>${propagation}
      <applicationField>EMS</applicationField><problemType>Classifiers</problemType></problemDomain>
      <weightmatrix>1 2</weightmatrix><activationfunction>tanh</activationfunction></instanceschema>`;
    const training = `<trainingresultschema>${date}<data/><weightmatrix/><epochs>5</epochs><meanerror>0.1</meanerror>
      <activationfunction>tanh</activationfunction><totalexecutiontime>1 s</totalexecutiontime>
      <epocherrorvalue>0.2 0.1</epocherrorvalue><learningrate>0.1</learningrate><momentum>0</momentum>
      <threshold>0</threshold><bias><valueparameter name="a">1</valueparameter></bias>${environment}${propagation}
      <networkType>Backpropagation</networkType></trainingresultschema>`;
    for (const xml of [data, result, instance, training]) expect(await findingsOf(xml)).toEqual([]);
    expect(await findingsOf(data.replace("1 2.5", "-1"))).not.toEqual([]);
  });

  it("refuses a root element without schema, and an entity bomb, before validating", async () => {
    const unknown = await failureOfAsync(findingsOf("<network/>"));
    expect(unknown).toMatchObject({ code: "DOCUMENT_UNSUPPORTED", elementPath: "/network", line: 1 });
    const bomb = await failureOfAsync(findingsOf('<!DOCTYPE d [<!ENTITY a "a">]><definition>&a;</definition>'));
    expect(bomb).toMatchObject({ code: "DOCUMENT_INVALID", line: 1, column: 1 });
  });
});
