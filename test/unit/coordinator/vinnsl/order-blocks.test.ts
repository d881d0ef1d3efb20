import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { blockXml, connectionsXml, definitionXml, structureXml } from "./definition-xml.js";
import { failureOf } from "./failure-of.js";

function read(structure: string) {
  return readNetwork(new TextEncoder().encode(definitionXml({ structure })), "net.xml");
}

function refusal(structure: string) {
  return failureOf(() => read(structure));
}

const input = blockXml("input", "Input1", 4);
const output = blockXml("output", "Output1", 3);
const structure = (...parts: readonly string[]) => `<structure>${parts.join("\n")}</structure>`;

describe("connections", () => {
  const hiddenOf = (connections: string) => read(structureXml(connections)).hidden.map(({ id }) => id);
  const refusedPairs = (...pairs: readonly (readonly [string, string])[]) =>
    refusal(structureXml(connectionsXml(...pairs)));

  it.each([
    "",
    "<connections/>",
    "<connections><!-- <fullconnected/> --></connections>",
    "<connections><fullconnected/></connections>",
    "<connections>fullconnected</connections>",
    "<connections><shortcuts/></connections>",
    "<connections><shortcuts><fromneuron/><toneuron> </toneuron></shortcuts></connections>",
  ])("takes %j as every block to the next", (connections) => {
    expect(hiddenOf(connections)).toEqual(["Hidden1", "Hidden2"]);
  });

  it("orders the hidden blocks along the connections", () => {
    const connections = connectionsXml(["Hidden1", "Output1"], ["Input1", "Hidden2"], ["Hidden2", "Hidden1"]);
    expect(hiddenOf(connections)).toEqual(["Hidden2", "Hidden1"]);
    expect(read(structureXml(connections)).hidden[0]?.path).toBe("/definition/structure/hidden[2]");
  });

  it("recovers any order of any number of blocks from shuffled connections", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }).chain((count) => {
          const ids = Array.from({ length: count }, (_, index) => `H${index}`);
          const all = { minLength: count, maxLength: count };
          return fc.tuple(
            fc.shuffledSubarray(ids, all),
            fc.shuffledSubarray([...ids.keys(), count], { minLength: count + 1 }),
          );
        }),
        ([path, order]) => {
          const chain = ["Input1", ...path, "Output1"];
          const pairs = order.map((index) => [chain[index] ?? "", chain[index + 1] ?? ""] as const);
          const blocks = [...path].sort().map((id) => blockXml("hidden", id, 2));
          const network = read(structure(input, ...blocks, output, connectionsXml(...pairs)));
          expect(network.hidden.map(({ id }) => id)).toEqual(path);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("reads connections that are spread over several elements", () => {
    const single = (from: string, to: string) =>
      `<fullconnected><fromblock>${from}</fromblock><toblock>${to}</toblock></fullconnected><shortcuts/>`;
    const parts = [single("Input1", "Hidden1"), single("Hidden1", "Hidden2"), single("Hidden2", "Output1")];
    expect(hiddenOf(`<connections>${parts.join("")}</connections>`)).toEqual(["Hidden1", "Hidden2"]);
  });

  it("names the blocks that there are when a connection names another", () => {
    expect(refusedPairs(["Input1", "Hidden7"])).toMatchObject({
      code: "DOCUMENT_INVALID",
      line: expect.any(Number),
      elementPath: "/definition/structure/connections/fullconnected/toblock",
      problem: 'there is no block with the ID "Hidden7"',
      remedy: "Name one of: Input1, Hidden1, Hidden2, Output1",
    });
  });

  it.each([
    [
      "a block left out",
      [
        ["Input1", "Hidden1"],
        ["Hidden1", "Output1"],
      ],
      "no path",
      "DOCUMENT_INVALID",
    ],
    [
      "no way to the output",
      [
        ["Input1", "Hidden1"],
        ["Hidden1", "Hidden2"],
      ],
      'leads on from the block "Hidden2"',
      "DOCUMENT_INVALID",
    ],
    [
      "no way from the input",
      [
        ["Hidden1", "Hidden2"],
        ["Hidden2", "Output1"],
      ],
      'leads on from the block "Input1"',
      "DOCUMENT_INVALID",
    ],
    [
      "a branch",
      [
        ["Input1", "Hidden1"],
        ["Input1", "Hidden2"],
      ],
      'branches at the block "Input1"',
      "DOCUMENT_UNSUPPORTED",
    ],
    [
      "a merge",
      [
        ["Input1", "Output1"],
        ["Hidden1", "Output1"],
      ],
      'branches at the block "Output1"',
      "DOCUMENT_UNSUPPORTED",
    ],
    [
      "a cycle",
      [
        ["Input1", "Output1"],
        ["Hidden1", "Hidden2"],
        ["Hidden2", "Hidden1"],
      ],
      "cycle",
      "DOCUMENT_INVALID",
    ],
    ["a block on itself", [["Hidden1", "Hidden1"]], "cycle", "DOCUMENT_INVALID"],
    ["a way back to the input", [["Hidden1", "Input1"]], "can't be fed", "DOCUMENT_INVALID"],
    ["a way on from the output", [["Output1", "Hidden1"]], "can't feed", "DOCUMENT_INVALID"],
    [
      "a connection twice",
      [
        ["Input1", "Hidden1"],
        ["Input1", "Hidden1"],
      ],
      "twice",
      "DOCUMENT_INVALID",
    ],
  ] as const)("refuses %s", (_, pairs, words, code) => {
    const failure = refusedPairs(...pairs);
    expect(failure).toMatchObject({ code, problem: expect.stringContaining(words), elementPath: expect.any(String) });
  });

  it("refuses halves of pairs", () => {
    for (const inner of [
      "<fromblock>Input1</fromblock>",
      "<toblock>Hidden1</toblock>",
      "<fromblock>Input1</fromblock><fromblock>Input1</fromblock>",
      "<fromblock>Input1</fromblock><toblock>Hidden1</toblock><toblock>Hidden2</toblock>",
    ]) {
      expect(refusal(structureXml(`<connections><fullconnected>${inner}</fullconnected></connections>`))).toMatchObject(
        {
          code: "DOCUMENT_INVALID",
          elementPath: expect.stringContaining("/definition/structure/connections/fullconnected/"),
          remedy: expect.stringContaining("<fromblock>"),
        },
      );
    }
  });

  it("refuses unknown kinds of connections", () => {
    for (const connections of ["<connections>random</connections>", "<connections><sparse/></connections>"]) {
      expect(refusal(structureXml(connections)).code).toBe("DOCUMENT_UNSUPPORTED");
    }
  });
});

describe("shortcuts", () => {
  const shortcutsXml = (...pairs: readonly (readonly [string, string])[]) =>
    pairs
      .map(([from, to]) => `<shortcuts><fromneuron>${from}</fromneuron><toneuron>${to}</toneuron></shortcuts>`)
      .join("");
  const refused = (...pairs: readonly (readonly [string, string])[]) =>
    refusal(structureXml(`<connections>${shortcutsXml(...pairs)}</connections>`));
  const path = "/definition/structure/connections/shortcuts";

  it("lead from any earlier block to a later one, in the order of the blocks", () => {
    const pairs = shortcutsXml(["Hidden1", "Output1"], ["Input1", "Output1"], ["Input1", "Hidden2"]);
    const { hidden, output: last } = read(structureXml(`<connections>${pairs}</connections>`));
    expect(hidden.map(({ shortcuts }) => shortcuts)).toEqual([undefined, [-1]]);
    expect(last.shortcuts).toEqual([-1, 0]);
  });

  it("may stand in one element, beside empty ones, and follow the connections' order", () => {
    const several = `<shortcuts><fromneuron>Input1</fromneuron><toneuron>Hidden1</toneuron>
      <fromneuron>Hidden2</fromneuron><toneuron>Output1</toneuron></shortcuts><shortcuts/>`;
    const chain = connectionsXml(["Input1", "Hidden2"], ["Hidden2", "Hidden1"], ["Hidden1", "Output1"]);
    const network = read(structureXml(chain.replace("</connections>", `${several}</connections>`)));
    expect(network.hidden.map(({ id, shortcuts }) => [id, shortcuts])).toEqual([
      ["Hidden2", undefined],
      ["Hidden1", [-1]],
    ]);
    expect(network.output.shortcuts).toEqual([0]);
  });

  it.each([
    ["backwards", [["Hidden2", "Input1"]], "does not lead forward", "earlier|later"],
    ["onto itself", [["Hidden1", "Hidden1"]], "does not lead forward", "later"],
    ["between neighbours", [["Input1", "Hidden1"]], "connected without a shortcut", "Remove"],
    [
      "twice",
      [
        ["Input1", "Output1"],
        ["Input1", "Output1"],
      ],
      "two shortcuts",
      "Remove one",
    ],
  ] as const)("are refused %s", (_, pairs, words, remedy) => {
    expect(refused(...pairs)).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: expect.stringContaining(`${path}`),
      problem: expect.stringContaining(words),
      remedy: expect.stringMatching(remedy),
      line: expect.any(Number),
    });
  });

  it.each(["Input1.1", "Input1[3]", "Input1:2", "Input1_4", "Input1 5"])("are refused from the neuron %s", (neuron) => {
    expect(refused([neuron, "Output1"])).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: `${path}/fromneuron`,
      problem: expect.stringContaining("single neuron"),
      supported: ["whole blocks, e.g. Input1"],
    });
  });

  it("are refused from blocks that there are none of, to blocks that take one input, and in halves", () => {
    expect(refused(["Hidden9", "Output1"])).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: `${path}/fromneuron`,
      remedy: "Name one of: Input1, Hidden1, Hidden2, Output1",
    });
    const half = "<connections><shortcuts><fromneuron>Input1</fromneuron></shortcuts></connections>";
    expect(refusal(structureXml(half))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: `${path}/fromneuron`,
      remedy: expect.stringContaining("<toneuron>"),
    });
    const pooled = [blockXml("input", "Input1", 16), blockXml("hidden", "Conv1", 2), blockXml("hidden", "Conv2", 2)];
    const rest = [
      blockXml("hidden", "Flatten", 1),
      output,
      `<connections>${shortcutsXml(["Input1", "Conv2"])}</connections>`,
    ];
    const size = '<parameters><comboparameter name="kernel">1</comboparameter></parameters></hidden>';
    expect(
      refusal(
        structure(
          ...[...pooled, ...rest].map((xml) => xml.replace("</hidden>", xml.includes("Conv") ? size : "</hidden>")),
        ),
      ),
    ).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: `${path}/toneuron`,
      problem: expect.stringContaining("conv2d"),
      supported: [expect.stringContaining("dense")],
    });
  });
});
