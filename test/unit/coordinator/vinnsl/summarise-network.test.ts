import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { summariseNetwork } from "../../../../coordinator/vinnsl/summarise-network.js";

async function summaryOf(path: string) {
  return summariseNetwork(readNetwork(await readFile(new URL(`../../../../examples/${path}`, import.meta.url)), path));
}

describe("summariseNetwork", () => {
  it("counts weights and biases of each layer of the iris example", async () => {
    expect(await summaryOf("iris/iris.xml")).toEqual({
      rows: [
        { block: "Input1", kind: "input", outputs: 4, activation: null, parameters: 0 },
        { block: "Hidden1", kind: "dense", outputs: 3, activation: "tanh", parameters: 15 },
        { block: "Hidden2", kind: "dense", outputs: 3, activation: "tanh", parameters: 12 },
        { block: "Output1", kind: "dense", outputs: 3, activation: null, parameters: 12 },
      ],
      totalParameters: 39,
      totalSizeBytes: 156,
    });
  });

  it.each([
    ["wines/wines.xml", 29],
    ["mnist/mnist.xml", 785 * 528 + 529 * 10],
  ])("counts the parameters of %s", async (path, total) => {
    expect((await summaryOf(path)).totalParameters).toBe(total);
  });
});
