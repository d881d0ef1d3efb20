import { describe, expect, it } from "vitest";
import { toFailure } from "../../../../shared/failure.js";
import { createEngine } from "../../../../worker/engine/create-engine.js";
import { probeEngine } from "../../../../worker/engine/probe.js";
import { example, network } from "../../../support/tiny-networks.js";

const OPTIONS = { inputs: 2, hidden: [], hiddenActivation: "linear", outputs: 1, lastActivation: "linear" } as const;
const { model, layout } = example(network({ ...OPTIONS, loss: "meanSquaredError", targets: "values" }), 1);

describe("createEngine", () => {
  it("makes the engine that was asked for", async () => {
    await using engine = await createEngine("wasm", model, layout);
    expect(engine.identity.name).toBe("wasm");
  });

  it("refuses a precision that wasm hasn't got", async () => {
    const made = createEngine("wasm", model, layout, { precision: "bfloat16" });
    const failure = toFailure(await made.catch((error: unknown) => error));
    expect(failure).toMatchObject({ code: "CHOICE_UNSUPPORTED", option: "--precision", supported: ["float32"] });
  });

  it.each(["pytorch", "toString", ""])("refuses %j by name", async (name) => {
    const failure = toFailure(await createEngine(name, model, layout).catch((error: unknown) => error));
    expect(failure).toEqual({
      code: "CHOICE_UNSUPPORTED",
      option: "engine",
      value: name,
      supported: ["wasm", "tensorflow", "tensorflow-gpu"],
      remedy: "Use --engine wasm",
    });
  });
});

describe("probeEngine", () => {
  it("gives the engine's identity and always the same hash", async () => {
    const [first, second] = [await probeEngine("wasm"), await probeEngine("wasm")];
    expect(first).toEqual(second);
    expect(first).toMatchObject({ name: "wasm", probeSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await using engine = await createEngine("wasm", model, layout);
    expect(first).toMatchObject(engine.identity);
  });

  it("refuses an unknown engine by name", async () => {
    const failure = toFailure(await probeEngine("abacus").catch((error: unknown) => error));
    expect(failure).toMatchObject({ code: "CHOICE_UNSUPPORTED", option: "engine", value: "abacus" });
  });
});
