import process from "node:process";
import { describe, expect, it } from "vitest";
import { engineRecipe } from "../../../../coordinator/engines/engine-recipe.js";
import { parseHash, placeOf } from "../../../../coordinator/engines/package-source.js";
import { checkPlatform, currentPlatform } from "../../../../coordinator/engines/platform-check.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const RECIPE = engineRecipe("tensorflow");

describe("the platform check", () => {
  it("knows this process's platform", () => {
    const { name, glibc } = currentPlatform();
    expect(name).toBe(`${process.platform}-${process.arch}`);
    if (glibc !== null) expect(glibc[0]).toBeGreaterThanOrEqual(2);
  });

  it("lets through what is new enough", () => {
    for (const glibc of [
      [2, 17],
      [2, 36],
      [3, 0],
    ] as const)
      checkPlatform(RECIPE, { name: "linux-x64", glibc });
  });

  it("refuses other systems, C libraries and old ones, with what to do", async () => {
    const cases = [
      [{ name: "darwin-arm64", glibc: null }, "there is no library for darwin-arm64, only for linux-x64"],
      [{ name: "linux-x64", glibc: null }, "this system has another C library (musl?)"],
      [
        { name: "linux-x64", glibc: [2, 12] as const },
        "need the GNU C library 2.17 or newer, and this system has 2.12",
      ],
    ] as const;
    for (const [platform, problem] of cases) {
      const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => checkPlatform(RECIPE, platform));
      expect(refused.problem).toContain(problem);
      expect(refused.remedy).toContain("--engine wasm");
    }
  });
});

describe("the recipes", () => {
  it.each(["tensorflow", "tensorflow-gpu"] as const)("of %s are pinned to bytes", (name) => {
    for (const { hash, sizeBytes, file, version, registry } of engineRecipe(name).sources) {
      expect(parseHash(hash).hex).toMatch(registry === "pypi" ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{128}$/);
      expect(sizeBytes).toBeGreaterThan(0);
      expect(file).toContain(version);
    }
  });

  it("take libraries, headers and licences of a wheel, and nothing of Python", () => {
    const [wheel] = RECIPE.sources;
    if (wheel === undefined) throw new Error("no wheel");
    expect(placeOf(wheel, "tensorflow/libtensorflow_cc.so.2")).toBe("tensorflow/libtensorflow_cc.so.2");
    expect(placeOf(wheel, "tensorflow/include/tensorflow/c/c_api.h")).toBe("build/include/tensorflow/c/c_api.h");
    expect(placeOf(wheel, "tensorflow/include/LICENSE")).toBe("licences/tensorflow.txt");
    expect(placeOf(wheel, "tensorflow/python/_pywrap.so")).toBeNull();
    const cublas = engineRecipe("tensorflow-gpu").sources[1];
    if (cublas === undefined) throw new Error("no cublas");
    expect(placeOf(cublas, "nvidia/cublas/lib/libcublas.so.12")).toBe("nvidia/cublas/lib/libcublas.so.12");
    expect(placeOf(cublas, "nvidia/cublas/include/cublas.h")).toBeNull();
  });

  it("know no other hashes", () => {
    expect(() => parseHash("md5-abc")).toThrow(RangeError);
  });
});
