import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimalText } from "../../../../../coordinator/vinnsl/decimal-text.js";
import { childElements, findChild, textAt } from "../../../../../coordinator/vinnsl/object/object-element.js";
import { parseVinnslJson } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-json.js";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { toVinnslJson } from "../../../../../coordinator/vinnsl/object/to-vinnsl-json.js";
import { toVinnslXml } from "../../../../../coordinator/vinnsl/object/to-vinnsl-xml.js";
import { partOf } from "../../../../../coordinator/vinnsl/object/vinnsl-object.js";
import { readNetwork } from "../../../../../coordinator/vinnsl/read-network.js";
import {
  attachResults,
  documentXml,
  RESULT_PARTS,
  resultDocuments,
} from "../../../../../coordinator/vinnsl/results/result-documents.js";
import type { RunFacts } from "../../../../../coordinator/vinnsl/results/run-facts.js";
import { decodeWeightMatrix } from "../../../../../coordinator/vinnsl/results/weight-matrix.js";
import { writeResultDocuments } from "../../../../../coordinator/vinnsl/results/write-result-documents.js";
import { validateStrict } from "../../../../../coordinator/vinnsl/validate-strict.js";
import { MAX_BODY_BYTES } from "../../../../../shared/api/max-body-bytes.js";
import { failureOf as failureOfWork } from "../../../../support/failure-of.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";
import { blockXml, connectionsXml, definitionXml, parametersXml } from "../definition-xml.js";
import { failureOf } from "../failure-of.js";
import { epochFigures, exampleDocument, exampleRun } from "./example-run.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A definition of these blocks. */
function network(sizes: readonly number[], parameters: Readonly<Record<string, string>> = {}, rest = ""): Uint8Array {
  const blocks = sizes.map((size, index) =>
    blockXml(index === 0 ? "input" : index === sizes.length - 1 ? "output" : "hidden", `Block ${index}`, size),
  );
  const pairs = sizes.slice(1).map((_, index): [string, string] => [`Block ${index}`, `Block ${index + 1}`]);
  const structure = `<structure>${blocks.join("")}${connectionsXml(...pairs)}</structure>`;
  return bytesOf(
    definitionXml({ structure, parameters: parametersXml({ learningrate: "1e-7", ...parameters }), rest }),
  );
}

/** With a parameter more in every block that has an l2. */
const withParameters = (document: Uint8Array, parameter: string) =>
  bytesOf(new TextDecoder().decode(document).replace(/(<valueparameter name="l2">)/, `${parameter}$1`));

const approximators = (document: Uint8Array) =>
  bytesOf(new TextDecoder().decode(document).replace("Classifiers", "Approximators"));

const cases: readonly (readonly [string, Uint8Array])[] = [
  ["examples/iris", exampleDocument("iris/iris.xml")],
  ["examples/wines", exampleDocument("wines/wines.xml")],
  ["examples/mnist", exampleDocument("mnist/mnist.xml")],
  ["examples/cnn, by names", exampleDocument("cnn/mnist-cnn.xml")],
  ["examples/cnn, by parameters, with shortcuts", exampleDocument("cnn/digits-cnn.xml")],
  ["batch normalisation", withParameters(exampleDocument("cnn/digits-cnn.xml"), '<boolparameter name="batchnorm">1</boolparameter>')],
  ["no hidden block", network([4, 3])],
  ["one hidden block, one output", network([4, 3, 1])],
  ["five hidden blocks", network([4, 8, 7, 6, 5, 4, 3])],
  ["real-valued targets", approximators(network([4, 3, 2]))],
  ["momentum, biases, threshold", network([4, 3, 3], { momentum: "0.9", biasInput: "-1e-9", biasHidden: "2", threshold: "1e-5" })],
  ...["adam", "adamw", "rmsprop", "adagrad", "nesterov"].map((optimizer): [string, Uint8Array] => [
    optimizer,
    network([4, 3, 3], { optimizer }),
  ]),
  ["spellings that the schemas don't know", bytesOf(
      definitionXml({
        problemDomain: `<problemDomain><propagationType><learningType>SUPERVISED</learningType></propagationType>
          <applicationField>Deep Learning 2</applicationField><networkType>back-propagation</networkType>
          <problemType>Deep Learning</problemType></problemDomain>`,
      }),
    )],
  ["no problem domain at all", bytesOf(definitionXml({ problemDomain: "" }))],
  ["a machine", bytesOf(definitionXml({
      executionEnvironment: `<executionEnvironment><serial>true</serial><parallel><software><data><structural><spmd>
        <cluster version="1">x</cluster></spmd></structural></data></software></parallel></executionEnvironment>`,
    }))],
]; // biome-ignore format: a table

function documentsOf(facts: RunFacts) {
  const [instance, trainingresult, result] = resultDocuments(facts).map(({ element }) => element);
  return { instance, trainingresult, result };
}

describe("result documents", () => {
  it.each(cases)(
    "are valid against the schemas: %s",
    async (_name, document) => {
      for (const made of resultDocuments(exampleRun(document))) {
        const xml = documentXml(made);
        expect({ xml, findings: await validateStrict(bytesOf(xml), null) }).toEqual({ xml, findings: [] });
      }
    },
    60_000,
  );

  it("tell a training", () => {
    const { trainingresult } = documentsOf(
      exampleRun(network([4, 3, 3], { momentum: "0.9", biasInput: "0.5", threshold: "1e-5" })),
    );
    const told = (name: string) => textAt(trainingresult, name);
    expect(told("identifier")).toBe("5ab91658e8cc45946600ea11");
    expect(told("creationdate")).toBe("2024-02-29");
    expect(told("epochs")).toBe("12");
    expect(told("meanerror")).toBe("0.00000015");
    expect(told("learningrate")).toBe("0.0000001");
    expect(told("momentum")).toBe("0.9");
    expect(told("threshold")).toBe("0.00001");
    expect(told("totalexecutiontime")).toBe("PT12.346S");
    expect(told("epocherrorvalue")?.split(" ").slice(0, 3)).toEqual(["1.5", "0.15000000000000002", "0.015"]);
    expect(told("activationfunction")).toBe("sigmoid");
    const biases = childElements(findChild(trainingresult, "bias") ?? expect.fail("no bias"));
    expect(biases.map((bias) => [bias.attributes.get("name"), ...bias.content])).toEqual([
      ["biasInput", "0.5"],
      ["biasHidden", "0"],
    ]);
  });

  it("name the data that was trained on: an option's before the document's", () => {
    const names = (changes: Partial<RunFacts>) => {
      const { instance, trainingresult } = documentsOf(exampleRun(exampleDocument("iris/iris.xml"), changes));
      return [textAt(trainingresult, "data", "file"), textAt(instance, "dataSchemaID")];
    };
    expect(names({})).toEqual(["name/iris.csv", "name/iris.csv"]);
    expect(names({ dataName: "other.csv" })).toEqual(["other.csv", "other.csv"]);
  });

  it("draw the loss, and give a table of the epochs where all was measured", () => {
    const { result } = documentsOf(exampleRun(exampleDocument("iris/iris.xml")));
    const diagram = findChild(result, "diagram2d");
    expect(textAt(diagram, "description")).toContain(
      "epoch; training loss, training accuracy, test loss, test accuracy",
    );
    const values = childElements(findChild(diagram, "values") ?? expect.fail("no values"));
    expect(values.map((value) => Number(textAt(value, "yvalue")))).toEqual(
      Array.from({ length: 12 }, (_, epoch) => 1.5 * 10 ** -epoch),
    );
    expect([textAt(diagram, "yaxis", "min"), textAt(diagram, "yaxis", "max")]).toEqual(["0", "2"]);
    const rows = childElements(findChild(result, "table") ?? expect.fail("no table"));
    expect(rows.filter(({ name }) => name === "input").map(({ content }) => content[0])).toEqual(["2", "5", "8", "11"]);
    expect(rows[1]?.content).toEqual([`0.015 ${2 / 12} 0.00000001 1`]);
    expect(textAt(result, "file")).toBe("result.json");
  });

  it("give back the very weights, and name every block", () => {
    const facts = exampleRun(exampleDocument("iris/iris.xml"));
    const { instance } = documentsOf(facts);
    const { matrix, weights } = decodeWeightMatrix(textAt(instance, "weightmatrix") ?? "", "/instance");
    expect(weights).toEqual(facts.weights);
    expect(matrix.layers.map(({ block, activation, kernel }) => [block, activation, kernel.shape])).toEqual([
      ["Hidden1", "tanh", [4, 3]],
      ["Hidden2", "tanh", [3, 3]],
      ["Output1", "softmax", [3, 3]],
    ]);
    const pairs = findChild(findChild(findChild(instance, "structure"), "connections"), "fullconnected");
    expect(childElements(pairs ?? expect.fail("no pairs")).map(({ content }) => content[0])).toEqual([
      "Input1", "Hidden1", "Hidden1", "Hidden2", "Hidden2", "Output1",
    ]); // biome-ignore format: pairs
    expect(textAt(instance, "dataSchemaID")).toBe("name/iris.csv");
  });

  it("refuse weights that were changed", () => {
    const { instance } = documentsOf(exampleRun(exampleDocument("iris/iris.xml")));
    const text = textAt(instance, "weightmatrix") ?? "";
    const other = text.replace(/"data":"(.)/, (_, first: string) => `"data":"${first === "A" ? "B" : "A"}`);
    for (const [wrong, problem] of [
      [other, "the hash was taken of"],
      [text.replace("[4,3]", "[4,4]"), "48 bytes, not 64"],
      ["1 2 3", "ringstrasse-weights/1"],
    ] as const) {
      expect(failureOf(() => decodeWeightMatrix(wrong, "/vinnsl/instance/weightmatrix"))).toMatchObject({
        code: "DOCUMENT_INVALID",
        elementPath: "/vinnsl/instance/weightmatrix",
        problem: expect.stringContaining(problem),
      });
    }
  });

  it("name the file of weights that are too many for a document", () => {
    const facts = exampleRun(network([2_000, 800, 10]));
    const { instance, trainingresult } = documentsOf(facts);
    for (const part of [instance, trainingresult]) {
      const { matrix, weights } = decodeWeightMatrix(textAt(part, "weightmatrix") ?? "", "/instance");
      expect(weights).toBeNull();
      expect(matrix).toMatchObject({ file: "model/weights.bin", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    }
    const mnist = documentsOf(exampleRun(exampleDocument("mnist/mnist.xml")));
    expect(decodeWeightMatrix(textAt(mnist.instance, "weightmatrix") ?? "", "/").weights).not.toBeNull();
    expect(decodeWeightMatrix(textAt(mnist.trainingresult, "weightmatrix") ?? "", "/").weights).toBeNull();
  });

  it("stay small and valid after a hundred thousand epochs", async () => {
    const { spec } = exampleRun(exampleDocument("iris/iris.xml"));
    const history = Array.from({ length: 100_000 }, (_, epoch) => ({ ...epochFigures(2, spec), epoch }));
    const facts = exampleRun(exampleDocument("iris/iris.xml"), { history });
    const { result, trainingresult } = documentsOf(facts);
    const values = childElements(findChild(findChild(result, "diagram2d"), "values") ?? expect.fail("no values"));
    expect(values).toHaveLength(2_000);
    expect([textAt(values[0], "xvalue"), textAt(values.at(-1), "xvalue")]).toEqual(["0", "99999"]);
    expect(textAt(trainingresult, "epocherrorvalue")?.split(" ").at(-1)).toBe("99999=0.015");
    for (const made of resultDocuments(facts)) {
      expect(await validateStrict(bytesOf(documentXml(made)), null)).toEqual([]);
    }
  }, 120_000);

  it("stay below what a server takes over HTTP, however many epochs there were", () => {
    const spec = exampleRun(exampleDocument("iris/iris.xml")).spec;
    const history = Array.from({ length: 20_000 }, (_, epoch) => ({
      ...epochFigures(2, spec),
      epoch: 1_000_000 + epoch,
      trainLoss: 1 / (7e9 + epoch),
      trainAccuracy: 1 / (3 + epoch),
      testLoss: 1 / (7e9 + epoch),
      testAccuracy: 1 / (3 + epoch),
    }));
    for (const document of resultDocuments(exampleRun(exampleDocument("iris/iris.xml"), { history }))) {
      expect(Buffer.byteLength(documentXml(document))).toBeLessThan(MAX_BODY_BYTES / 2);
    }
  });

  it("become parts of the object, which still reads as before, in XML and in JSON", () => {
    const document = exampleDocument("iris/iris.xml");
    const facts = exampleRun(document);
    const attached = attachResults(facts.object, resultDocuments(facts));
    for (const part of RESULT_PARTS) expect(partOf(attached, part)?.name).toBe(part);
    const json = toVinnslJson(attached, { status: "FINISHED", dl4jNetwork: null });
    expect(json).toMatchObject({
      result: {
        file: "result.json",
        diagram2d: { values: { value: expect.arrayContaining([{ xvalue: 0, yvalue: 1.5 }]) } },
      },
      trainingresult: {
        epochs: 12,
        meanerror: 1.5e-7,
        bias: [{ valueparameter: [{ name: "biasInput", value: 0 }, {}] }],
      },
      instance: { structure: { hidden: [{ id: "Hidden1", dimension: 1, size: 3 }] } },
    });
    expect(parseVinnslJson(bytesOf(JSON.stringify(json)))).toEqual(attached);
    expect(parseVinnslXml(bytesOf(toVinnslXml(attached)))).toEqual(attached);
    expect(attachResults(attached, resultDocuments(facts))).toEqual(attached);
    const { hidden, parameters } = readNetwork(document, null);
    expect(readNetwork(bytesOf(toVinnslXml(attached)), null)).toMatchObject({
      hidden,
      parameters,
      warnings: [expect.stringContaining("/vinnsl/instance")],
    });
  });
});

describe("writing result documents", () => {
  it("writes two valid files, in the place of earlier ones", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "trainingresult.xml"), "old");
    const documents = resultDocuments(exampleRun(exampleDocument("iris/iris.xml")));
    const paths = await writeResultDocuments(directory, documents);
    expect(paths).toEqual([join(directory, "trainingresult.xml"), join(directory, "resultschema.xml")]);
    expect((await readdir(directory)).sort()).toEqual(["resultschema.xml", "trainingresult.xml"]);
    for (const path of paths) expect(await validateStrict(await readFile(path), path)).toEqual([]);
  });

  it("says which file can't be written", async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, "resultschema.xml"));
    const documents = resultDocuments(exampleRun(exampleDocument("iris/iris.xml")));
    expect(await failureOfWork(() => writeResultDocuments(directory, documents))).toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      path: join(directory, "resultschema.xml"),
    });
  });
});

describe("decimals", () => {
  it("give the same number back, without exponent", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(decimalText(value)).toMatch(/^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/);
        expect(Number(decimalText(value))).toBe(value === 0 ? 0 : value);
      }),
    );
    expect([1e21, 1.5e-7, -2.5e22, 5e-324].map(decimalText).map((text) => text.length)).toEqual([22, 10, 24, 326]);
    expect(() => decimalText(Number.NaN)).toThrow(RangeError);
  });
});
