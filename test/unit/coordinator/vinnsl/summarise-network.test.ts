import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { layerTable } from "../../../../coordinator/cli/layer-table.js";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { summariseNetwork } from "../../../../coordinator/vinnsl/summarise-network.js";

const plain = { normalised: false, shortcuts: [] };

async function summaryOf(path: string) {
  return summariseNetwork(readNetwork(await readFile(new URL(`../../../../examples/${path}`, import.meta.url)), path));
}

describe("summariseNetwork", () => {
  it("counts weights and biases of each layer of the iris example", async () => {
    expect(await summaryOf("iris/iris.xml")).toEqual({
      rows: [
        { block: "Input1", kind: "input", outputs: 4, shape: [4], activation: null, parameters: 0, ...plain },
        { block: "Hidden1", kind: "dense", outputs: 3, shape: [3], activation: "tanh", parameters: 15, ...plain },
        { block: "Hidden2", kind: "dense", outputs: 3, shape: [3], activation: "tanh", parameters: 12, ...plain },
        { block: "Output1", kind: "dense", outputs: 3, shape: [3], activation: null, parameters: 12, ...plain },
      ],
      totalParameters: 39,
      totalSizeBytes: 156,
    });
  });

  it.each([
    ["wines/wines.xml", 29],
    ["mnist/mnist.xml", 785 * 528 + 529 * 10],
    ["cnn/mnist-cnn.xml", 10 * 16 + 145 * 32 + 801 * 128 + 129 * 10],
    ["cnn/digits-cnn.xml", 10 * 8 + 73 * 16 + (64 + 64 + 1) * 32 + (32 + 64 + 1) * 10],
  ])("counts the parameters of %s", async (path, total) => {
    expect((await summaryOf(path)).totalParameters).toBe(total);
  });

  it("shows what comes out of each block, normalisations and shortcuts", async () => {
    const { rows } = await summaryOf("cnn/digits-cnn.xml");
    expect(rows.map(({ kind, shape, shortcuts }) => [kind, shape, shortcuts])).toEqual([
      ["input", [8, 8, 1], []],
      ["conv2d", [8, 8, 8], []],
      ["maxPool", [4, 4, 8], []],
      ["conv2d", [2, 2, 16], []],
      ["flatten", [64], []],
      ["dropout", [64], []],
      ["dense", [32], ["Pixels"]],
      ["dense", [10], ["Flatten"]],
    ]);
    const xml = await readFile(new URL("../../../../examples/cnn/digits-cnn.xml", import.meta.url), "utf8");
    const normalised = xml.replace(
      '<valueparameter name="l2">0.0001</valueparameter>',
      '<boolparameter name="batchnormalization">true</boolparameter>',
    );
    const summary = summariseNetwork(readNetwork(new TextEncoder().encode(normalised), "net.xml"));
    expect(summary.rows[3]).toMatchObject({ normalised: true, parameters: 73 * 16 + 2 * 16 });
    expect(layerTable(summary)).toMatch(
      /Shapes +│ conv2d, batchNorm │ 2×2×16 [\s\S]*\nshortcuts to Hidden from Pixels\n/,
    );
  });
});
