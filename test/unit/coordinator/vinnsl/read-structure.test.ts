import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { blockXml, connectionsXml, definitionXml, parametersXml } from "./definition-xml.js";
import { failureOf } from "./failure-of.js";

function read(structure: string, parameters = "") {
  return readNetwork(new TextEncoder().encode(definitionXml({ structure, parameters })), "net.xml");
}

function refusal(structure: string) {
  return failureOf(() => read(structure));
}

const input = blockXml("input", "Input1", 4);
const output = blockXml("output", "Output1", 3);
const structure = (...parts: readonly string[]) => `<structure>${parts.join("\n")}</structure>`;

describe("blocks", () => {
  it.each(["0", "-1", "1e9", "1000001", "2.5", "three", "", "0x10"])("refuses the size %j at its element", (size) => {
    const hidden = [blockXml("hidden", "A", 3), blockXml("hidden", "B", size)];
    expect(refusal(structure(input, ...hidden, output))).toMatchObject({
      code: "DOCUMENT_INVALID",
      line: expect.any(Number),
      column: expect.any(Number),
      elementPath: "/definition/structure/hidden[2]/size",
      problem: expect.stringContaining("size"),
      remedy: "Give a whole number from 1 to 1000000",
    });
  });

  it("refuses a network that is too large as a whole", () => {
    const big = [blockXml("input", "I", 1_000_000), blockXml("output", "O", 1_000)];
    expect(refusal(structure(...big))).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: "/definition/structure",
      problem: "the network has 1000001000 weights",
      supported: ["at most 536870912 weights in all"],
    });
    const limit = [blockXml("input", "I", 1_023), blockXml("output", "O", 524_288)];
    expect(read(structure(...limit)).output.size).toBe(524_288);
  });

  it.each([
    ["<hidden><size>3</size></hidden>", "/definition/structure/hidden"],
    ["<hidden><ID/><size>3</size></hidden>", "/definition/structure/hidden/ID"],
    ["<hidden><ID>H</ID></hidden>", "/definition/structure/hidden"],
    ["<hidden><ID>H</ID><size>3</size><size>3</size></hidden>", "/definition/structure/hidden/size[2]"],
    ["<hidden><ID>H</ID><dimension>0</dimension><size>3</size></hidden>", "/definition/structure/hidden/dimension"],
  ])("refuses the incomplete block %s", (hidden, elementPath) => {
    expect(refusal(structure(input, hidden, output))).toMatchObject({ code: "DOCUMENT_INVALID", elementPath });
  });

  it.each(["1", "3", " 1 "])("accepts the dimension %j of a block of size 3", (dimension) => {
    const hidden = `<hidden><ID>H</ID><dimension>${dimension}</dimension><size>3</size></hidden>`;
    expect(read(structure(input, hidden, output)).hidden[0]?.size).toBe(3);
  });

  it("refuses grids", () => {
    const hidden = "<hidden><ID>H</ID><dimension>2</dimension><size>3</size></hidden>";
    const elementPath = "/definition/structure/hidden/dimension";
    expect(refusal(structure(input, hidden, output))).toMatchObject({ code: "DOCUMENT_UNSUPPORTED", elementPath });
  });

  it.each([
    "LSTM2",
    "GRU",
    "Embedding",
    "Conv1D",
    "convolution3d",
    "ConvLayer1D_2",
    "Conv2DTranspose",
    "ConvLSTM2D",
    "GlobalMaxPooling",
    "Separable_Conv2D",
  ])("refuses the layer that the ID %s asks for, wherever it stands", (id) => {
    for (const tag of ["input", "hidden", "output"] as const) {
      const blocks = { input, hidden: "", output };
      blocks[tag] = blockXml(tag, id, 2);
      expect(refusal(structure(blocks.input, blocks.hidden, blocks.output))).toMatchObject({
        code: "DOCUMENT_UNSUPPORTED",
        elementPath: `/definition/structure/${tag}/ID`,
        problem: expect.stringContaining(id),
        supported: expect.arrayContaining([expect.stringContaining("dense"), "Convolutional…"]),
      });
    }
  });

  it.each(["Denselayer1", "DenseLayer", "Hidden1", "Dense", "LS"])("takes the ID %s as dense", (id) => {
    expect(read(structure(input, blockXml("hidden", id, 2), output)).hidden[0]?.id).toBe(id);
  });

  it("accepts IDs that occur more than once as long as no connection needs them", () => {
    const hidden = [500, 300, 100].map((size) => blockXml("hidden", "DenseLayer", size));
    expect(read(structure(input, ...hidden, output)).hidden.map(({ size }) => size)).toEqual([500, 300, 100]);
    const pairs = [
      ["Input1", "DenseLayer"],
      ["DenseLayer", "Output1"],
    ] as const;
    const failure = refusal(structure(input, ...hidden, output, connectionsXml(...pairs)));
    expect(failure).toMatchObject({ code: "DOCUMENT_INVALID", problem: expect.stringContaining("several blocks") });
  });

  it("reads activations of blocks, which go before the one for all", () => {
    const own = '<parameters><comboparameter name="activationfunction">ReLU</comboparameter></parameters>';
    const network = read(
      structure(
        input,
        blockXml("hidden", "A", 3, own),
        blockXml("hidden", "B", 3, "<activation>linear</activation>"),
        blockXml("hidden", "C", 3),
        blockXml("output", "O", 3, "<activation>Softmax</activation>"),
      ),
      parametersXml({ activationfunction: "tanh" }, "comboparameter"),
    );
    expect(network.hidden.map(({ activation }) => activation)).toEqual(["relu", "linear", "tanh"]);
    expect(network.output.activation).toBe("softmax");
  });

  it("says that an input's activation has no effect", () => {
    const first = blockXml("input", "Input1", 4, "<activation>sigmoid</activation>");
    expect(read(structure(first, output)).warnings).toEqual([
      expect.stringMatching(/^\/definition\/structure\/input: /),
    ]);
  });

  it("refuses unknown parameters and contradicting or unknown activations of a block", () => {
    const parameter = (name: string, text: string) =>
      `<parameters><comboparameter name="${name}">${text}</comboparameter></parameters>`;
    const path = "/definition/structure/hidden";
    for (const [more, code, elementPath] of [
      [parameter("units", "3"), "DOCUMENT_UNSUPPORTED", `${path}/parameters/comboparameter`],
      [parameter("activationfunction", "maxout"), "DOCUMENT_UNSUPPORTED", `${path}/parameters/comboparameter`],
      [
        `${parameter("activationfunction", "relu")}<activation>tanh</activation>`,
        "DOCUMENT_INVALID",
        `${path}/activation`,
      ],
      ["<bias>1</bias>", "DOCUMENT_UNSUPPORTED", `${path}/bias`],
    ] as const) {
      expect(refusal(structure(input, blockXml("hidden", "H", 3, more), output))).toMatchObject({ code, elementPath });
    }
  });
});
