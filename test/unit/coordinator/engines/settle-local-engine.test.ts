import { describe, expect, it } from "vitest";
import { currentPlatform } from "../../../../coordinator/engines/platform-check.js";
import { settleLocalEngine } from "../../../../coordinator/engines/settle-local-engine.js";
import type { EngineWish } from "../../../../shared/engine-name.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** Surroundings without native engines and GPUs, whatever this machine has. */
async function bare() {
  const projectDirectory = await temporaryDirectory();
  const environment = { ["RINGSTRASSE_ENGINE_DIR"]: projectDirectory, ["CUDA_VISIBLE_DEVICES"]: "" };
  const check = () => expect.fail("there is nothing to load");
  return { environment, projectDirectory, platform: currentPlatform(), check };
}

describe("settleLocalEngine, where only wasm is", () => {
  it.each<EngineWish>(["auto", "wasm"])("%s does not stand for an engine without the precision", async (engine) => {
    const around = await bare();
    const need = { engine, threads: 1, precision: "bfloat16" } as const;
    const unsupported = {
      value: "bfloat16",
      supported: ["float32"],
      remedy: expect.stringContaining("engine install"),
    };
    expect(await failureWithCode("CHOICE_UNSUPPORTED", () => settleLocalEngine(need, around))).toMatchObject({
      ...unsupported,
      option: "--precision",
    });
    const element = { ...need, precisionAskedBy: "/definition/parameters" };
    expect(await failureWithCode("CHOICE_UNSUPPORTED", () => settleLocalEngine(element, around))).toMatchObject({
      ...unsupported,
      option: "/definition/parameters",
    });
    expect(await settleLocalEngine({ ...need, precision: "float32" }, around)).toMatchObject({ engine: "wasm" });
  });
});
