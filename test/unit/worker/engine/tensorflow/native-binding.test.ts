import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toFailure } from "../../../../../shared/failure.js";
import { loadNativeBinding } from "../../../../../worker/engine/tensorflow/native-binding.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

describe("loading a native engine: what is wrong has a name", () => {
  function failureOf(bindingPath: string, name: "tensorflow" | "tensorflow-gpu" = "tensorflow") {
    try {
      loadNativeBinding({ name, bindingPath, libraryDirectory: "" }, 1);
    } catch (error) {
      return toFailure(error);
    }
    throw new Error("it was loaded");
  }

  it("a file that is not there", async () => {
    const path = join(await temporaryDirectory(), "tfjs_binding.node");
    expect(failureOf(path)).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      engine: "tensorflow",
      problem: expect.stringContaining(`${path} can't be loaded`),
      remedy: "Run: ringstrasse engine install cpu --force",
    });
  });

  it("a truncated library", async () => {
    const path = join(await temporaryDirectory(), "tfjs_binding.node");
    await writeFile(path, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1));
    expect(failureOf(path, "tensorflow-gpu")).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      engine: "tensorflow-gpu",
      problem: expect.stringMatching(/can't be loaded: .*(too short|invalid ELF|not a mach-o)/),
      remedy: "Run: ringstrasse engine install gpu --force",
    });
  });

  it("another module", async () => {
    const path = join(await temporaryDirectory(), "other.cjs");
    await writeFile(path, "module.exports = { createTensor() {} };");
    expect(failureOf(path)).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      problem: `${path} is not the binding of tfjs-node 4.22`,
    });
  });
});

it("another number of threads than the process computes with is refused, by whatever path the library is reached", async () => {
  const folder = await temporaryDirectory();
  const functions = ["createTensor", "deleteTensor", "tensorDataSync", "loadSavedModel", "deleteSavedModel"];
  functions.push("runSavedModel", "isUsingGpuDevice", "getNumOfTensors");
  const bodies = functions.map((name) => `${name}() {}`).join(", ");
  await writeFile(join(folder, "binding.cjs"), `module.exports = { ${bodies}, TF_FLOAT: 1, TF_INT32: 3 };`);
  const link = join(folder, "link");
  await symlink(folder, link);
  const load = (directory: string, threads: number) =>
    loadNativeBinding(
      { name: "tensorflow", bindingPath: join(directory, "binding.cjs"), libraryDirectory: "" },
      threads,
    );
  const binding = load(link, 1);
  expect(load(link, 1)).toBe(binding);
  expect(load(folder, 1)).toBe(binding);
  for (const directory of [link, folder]) {
    expect(() => load(directory, 2)).toThrow("computes with 1 threads already, the job asks for 2");
  }
});
