import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectNothingLeft, expectRefusedCommand, expectRefusedTrain, workplace } from "../support/refused-run.js";
import { runCommand } from "../support/run-command.js";
import { type NetworkText, networkXml, writeBlobs } from "../support/training-data.js";

const NETWORK: NetworkText = { inputs: 2, hidden: [3], outputs: 3, parameters: { iterations: 2, learningrate: 0.1 } };
const GOOD = networkXml(NETWORK);
const CONNECTED =
  "<connections><fullconnected><fromblock>Input1</fromblock><toblock>Hidden9</toblock></fullconnected></connections>";

/** The good document with one thing changed; the change must hit. */
function changed(from: string, to: string): string {
  const text = GOOD.replace(from, to);
  if (text === GOOD) throw new Error(`the document has no ${from}`);
  return text;
}

interface BadDocument {
  readonly what: string;
  readonly text: string;
  readonly code?: "DOCUMENT_INVALID" | "DOCUMENT_UNSUPPORTED" | "DATA_MISMATCH";
  readonly says: readonly (string | RegExp)[];
}

/** Nine entities, each ten times the one before: 10⁹ words if they were expanded. */
const BOMB = `<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol0 "lol">
${Array.from({ length: 9 }, (_, level) => `<!ENTITY lol${level + 1} "${`&lol${level};`.repeat(10)}">`).join("\n")}]>
<vinnsl><definition><identifier>&lol9;</identifier></definition></vinnsl>`;

const CASES: readonly BadDocument[] = [
  { what: "not XML", text: "learningrate: 0.1\n", says: ["net.xml:1:1", "Give one XML document"] },
  { what: "an empty file", text: "", says: ["net.xml:1:1", "the document is empty", "Give a ViNNSL document"] },
  { what: "a document cut off", text: GOOD.slice(0, 900), says: [/net\.xml:\d+/] },
  { what: "bytes that are no text", text: "\u0000\u0001\u0002", says: ["net.xml"] },
  { what: "an entity bomb", text: BOMB, says: ["net.xml:2:", "<!DOCTYPE", "Remove the declaration"] },
  {
    what: "an external entity",
    text: `<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><definition><identifier>&f;</identifier></definition>`,
    says: ["net.xml:1:", "Remove the declaration"],
  },
  { what: "a document too deep", text: "<a>".repeat(10_000), says: ["net.xml:1:", /deep|nest/] },
  {
    what: "another root",
    text: "<html><body/></html>",
    code: "DOCUMENT_UNSUPPORTED",
    says: ["net.xml:1:", "html", "<definition>"],
  },
  {
    what: "an unknown element",
    text: changed("<endpoints>train</endpoints>", "<endpoints>train</endpoints><surprise>1</surprise>"),
    code: "DOCUMENT_UNSUPPORTED",
    says: [/net\.xml:\d+/, "/definition/surprise", "Supported: <identifier>"],
  },
  {
    what: "an unknown network type",
    text: changed("<networkType>Backpropagation", "<networkType>Hopfield"),
    code: "DOCUMENT_UNSUPPORTED",
    says: [/net\.xml:\d+/, "networkType", "Hopfield", "Supported:", /backpropagation/i],
  },
  {
    what: "an unknown problem type",
    text: changed("<problemType>Classifiers", "<problemType>Oracles"),
    code: "DOCUMENT_UNSUPPORTED",
    says: ["problemType", "Oracles", "Supported:", "Classifiers"],
  },
  ...["0", "-1", "1000000000", "1e9", "3.5", "many", ""].map((size) => ({
    what: `size "${size}"`,
    text: changed("<size>3</size>", `<size>${size}</size>`),
    says: [/net\.xml:\d+:\d+/, "structure/hidden", "size", "whole number"],
  })),
  {
    what: "a connection to an unknown block",
    text: changed("<connections/>", CONNECTED),
    says: [/net\.xml:\d+/, "toblock", "Hidden9", /Input1.*Hidden1.*Output1/],
  },
  {
    what: "an unknown activation",
    text: networkXml({ ...NETWORK, parameters: { ...NETWORK.parameters, activationfunction: "swoosh" } }),
    code: "DOCUMENT_UNSUPPORTED",
    says: [/net\.xml:\d+/, "parameters/comboparameter", "swoosh", "Supported:", "sigmoid", "tanh", "relu"],
  },
  {
    what: "an unknown optimizer",
    text: networkXml({ ...NETWORK, parameters: { ...NETWORK.parameters, optimizer: "luck" } }),
    code: "DOCUMENT_UNSUPPORTED",
    says: ["optimizer", "luck", "Supported:", "adam"],
  },
  {
    what: "an unknown parameter",
    text: networkXml({ ...NETWORK, parameters: { ...NETWORK.parameters, warpfactor: 9 } }),
    code: "DOCUMENT_UNSUPPORTED",
    says: ["warpfactor", "Supported:", "learningrate"],
  },
  ...["fast", "-0.1", "0", "NaN", "Infinity"].map((rate) => ({
    what: `learning rate "${rate}"`,
    text: changed(">0.1<", `>${rate}<`),
    says: [/net\.xml:\d+/, "learningrate"],
  })),
  {
    what: "more outputs than classes in the data",
    text: networkXml({ ...NETWORK, outputs: 7 }),
    code: "DATA_MISMATCH",
    says: ["blobs.csv", "output/size", "7", "3"],
  },
  {
    what: "fewer outputs than classes in the data",
    text: networkXml({ ...NETWORK, outputs: 2 }),
    code: "DATA_MISMATCH",
    says: ["blobs.csv", "output/size", "2", "3"],
  },
  {
    what: "more inputs than feature columns",
    text: networkXml({ ...NETWORK, inputs: 5 }),
    code: "DATA_MISMATCH",
    says: ["blobs.csv", "input/size", "5"],
  },
  {
    what: "a label column that the data doesn't have",
    text: networkXml({ ...NETWORK, parameters: { ...NETWORK.parameters, labelIndex: 12 } }),
    code: "DATA_MISMATCH",
    says: ["blobs.csv", "labelIndex", "12", "3"],
  },
  {
    what: "a label column below 0",
    text: networkXml({ ...NETWORK, parameters: { ...NETWORK.parameters, labelIndex: -1 } }),
    says: [/net\.xml:\d+/, "labelIndex", "-1"],
  },
];

describe("documents that training refuses", () => {
  for (const { what, text, code = "DOCUMENT_INVALID", says } of CASES) {
    it(`${what}: ${code}, exit 3, nothing written`, async () => {
      const place = await workplace();
      await writeFile(join(place.folder, "net.xml"), text);
      const data = await writeBlobs(place.folder, 60);
      const args = [join(place.folder, "net.xml"), "--data", data];
      await expectRefusedTrain(place, args, { exitCode: 3, code, says });
    });
  }

  it("a document that is not there is named, with where it was looked for", async () => {
    const place = await workplace();
    const says = ["gone.xml", "there is no such file", join(place.folder, "gone.xml")];
    await expectRefusedTrain(place, ["gone.xml"], { exitCode: 3, code: "INPUT_MISSING", says }, { cwd: place.folder });
  });

  it("a folder in place of a document is named", async () => {
    const place = await workplace();
    const refusal = { exitCode: 3, code: "INPUT_MISSING", says: [place.folder, "it is a directory"] } as const;
    await expectRefusedTrain(place, [place.folder], refusal);
  });
});

describe("documents that validate refuses", () => {
  it("says the same as training, in one line", async () => {
    const place = await workplace();
    const path = join(place.folder, "net.xml");
    await writeFile(path, changed("<size>3</size>", "<size>0</size>"));
    await expectRefusedCommand(place, ["validate", path], { exitCode: 3, says: [/net\.xml:\d+:\d+/, "hidden", '"0"'] });
  });

  it("--json: one object, not sound, with the failure", async () => {
    const place = await workplace();
    const path = join(place.folder, "net.xml");
    await writeFile(path, BOMB);
    const end = await runCommand(["validate", path, "--json"], { env: place.env });
    expect(end.exitCode).toBe(3);
    expect(JSON.parse(end.stdout)).toMatchObject({ sound: false, failure: { code: "DOCUMENT_INVALID", line: 2 } });
    expectNothingLeft(place);
  });
});
