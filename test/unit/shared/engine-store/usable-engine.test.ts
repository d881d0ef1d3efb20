import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineDirectory } from "../../../../shared/engine-store/engine-directory.js";
import { engineRelease } from "../../../../shared/engine-store/engine-release.js";
import { gpuDevices } from "../../../../shared/engine-store/gpu-devices.js";
import { bestEngine, findUsableEngine, requireUsableEngine } from "../../../../shared/engine-store/usable-engine.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** Surroundings without engines, and without GPUs whatever this machine has. */
async function emptyPlace() {
  const root = await temporaryDirectory();
  const environment = { ["RINGSTRASSE_ENGINE_DIR"]: root, ["CUDA_VISIBLE_DEVICES"]: "" };
  return { root, surroundings: { environment, projectDirectory: root } };
}

describe("bestEngine", () => {
  it("is wasm where no native engine is, and says how to get one", async () => {
    const { surroundings } = await emptyPlace();
    expect(await bestEngine(1, surroundings)).toEqual({
      engine: "wasm",
      reason: "tensorflow-gpu: no GPU here; tensorflow: not installed (ringstrasse engine install cpu)",
    });
  });

  it("refuses several threads where only wasm is", async () => {
    const { surroundings } = await emptyPlace();
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", () => bestEngine(2, surroundings));
    expect(failure.problem).toMatch(/^2 threads need a native engine, wasm computes with one; .*tensorflow: not inst/);
    expect(failure.remedy).toBe("Run: ringstrasse engine install cpu; or leave --threads out");
  });

  it("does not pass a damaged engine over", async () => {
    const { root, surroundings } = await emptyPlace();
    const directory = engineDirectory(root, engineRelease("tensorflow"));
    await mkdir(directory);
    await writeFile(join(directory, "manifest.json"), "{");
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", () => bestEngine(1, surroundings));
    expect(failure).toMatchObject({
      engine: "tensorflow",
      remedy: "To repair it, run: ringstrasse engine install cpu",
    });
    expect(failure.problem).toContain(directory);
  });
});

describe("requireUsableEngine", () => {
  it("names what is missing and the command that brings it", async () => {
    const { root, surroundings } = await emptyPlace();
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", () => requireUsableEngine("tensorflow", surroundings));
    expect(failure.problem).toContain(`it is not installed in ${join(root, "tensorflow-2.18.1-")}`);
    expect(failure.remedy).toBe("Run: ringstrasse engine install cpu");
  });

  it("asks for a GPU before it asks for 2.4 GB of libraries", async () => {
    const { surroundings } = await emptyPlace();
    const { obstacle } = await findUsableEngine("tensorflow-gpu", surroundings);
    expect(obstacle?.problem).toMatch(/^no GPU that it could use is here \(CUDA_VISIBLE_DEVICES is ""\)$/);
    expect(obstacle?.remedy).toMatch(/nvidia-smi.+--engine tensorflow$/);
  });
});

describe("gpuDevices", () => {
  async function deviceDirectory(...names: string[]): Promise<string> {
    const directory = await temporaryDirectory();
    for (const name of names) await writeFile(join(directory, name), "");
    return directory;
  }

  it("are those that the driver shows, counted as CUDA counts them", async () => {
    const devices = await deviceDirectory("nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "null", "nvidia0");
    expect(await gpuDevices({}, devices)).toEqual(["0", "1", "2"]);
    expect(await gpuDevices({}, await deviceDirectory("nvidia3", "nvidiactl"))).toEqual(["0"]);
    expect(await gpuDevices({}, await deviceDirectory("null"))).toEqual([]);
    expect(await gpuDevices({}, await deviceDirectory("dxg"))).toEqual(["0"]);
    expect(await gpuDevices({}, join(devices, "nowhere"))).toEqual([]);
  });

  it.each([
    ["1,0", ["1", "0"]],
    ["GPU-8d0f2a", ["GPU-8d0f2a"]],
    ["", []],
    ["-1", []],
    ["1,-1,0", ["1"]],
  ])("CUDA_VISIBLE_DEVICES=%s", async (value, expected) => {
    const devices = await deviceDirectory("nvidia0", "nvidia1");
    expect(await gpuDevices({ ["CUDA_VISIBLE_DEVICES"]: value }, devices)).toEqual(expected);
  });

  it("a variable can't make a GPU", async () => {
    expect(await gpuDevices({ ["CUDA_VISIBLE_DEVICES"]: "0" }, await deviceDirectory("null"))).toEqual([]);
  });
});
