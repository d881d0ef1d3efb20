import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gpuModels } from "../../../../shared/engine-store/gpu-models.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const information = (model: string) => `Model: \t\t ${model}\nIRQ:   \t\t 48\nGPU UUID: \t GPU-0\nDevice Minor: \t 0\n`;

/** The driver's directory with a GPU for each text, null: one that may not be read. */
async function driver(texts: readonly (string | null)[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const [bus, text] of texts.entries()) {
    await mkdir(join(directory, `0000:0${bus}:00.0`));
    if (text !== null) await writeFile(join(directory, `0000:0${bus}:00.0`, "information"), text);
  }
  return directory;
}

describe("gpuModels", () => {
  it("names each kind once, in order", async () => {
    const texts = ["NVIDIA H200", "NVIDIA A100-SXM4-80GB", "NVIDIA H200"].map(information);
    expect(await gpuModels(await driver(texts))).toEqual(["NVIDIA A100-SXM4-80GB", "NVIDIA H200"]);
  });

  it("leaves out what the driver doesn't tell", async () => {
    expect(await gpuModels(await driver([null, "Model: \nIRQ: 1\n", "nothing"]))).toEqual([]);
    expect(await gpuModels(join(await temporaryDirectory(), "none"))).toEqual([]);
  });
});
