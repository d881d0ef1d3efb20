import { describe, expect, it } from "vitest";
import type { TrainOptions } from "../../../../coordinator/cli/train-options.js";
import { type AsyncWishes, refuseAsync } from "../../../../coordinator/job/refuse-async.js";
import { settleStep } from "../../../../coordinator/job/settle-step.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { tinyModel } from "../../../support/trained-model.js";

function wishes(given: TrainOptions, change: Partial<Omit<AsyncWishes, "settings">> = {}): AsyncWishes {
  const step = settleStep({ parameters: { paths: {} }, options: given, sources: {}, file: null });
  const definition = { parameters: { paths: {} }, execution: { paths: {} }, hidden: [] };
  const settings = { step, model: tinyModel().facts.model };
  return { settings, options: given, definition, file: null, collective: "auto", ...change };
}

describe("refuseAsync", () => {
  it.each([
    [wishes({ strategy: "async", compress: "fp16" }), "--compress fp16 with --strategy", "send float32"],
    [wishes({ strategy: "async", "clip-norm": 2 }), "--clip-norm with --strategy", "mean gradient of a whole step"],
    [wishes({ strategy: "async", "checkpoint-steps": 9 }), "--checkpoint-steps with --strategy", "--checkpoint-epochs"],
    [wishes({ strategy: "async" }, { collective: "shm" }), "--collective shm with --strategy", "Leave it out"],
  ])("names what does not go with it", async (wish, option, remedy) => {
    const failure = await failureWithCode("CHOICE_UNSUPPORTED", () => refuseAsync(wish));
    expect(failure).toMatchObject({ option, value: "async", supported: ["sync"] });
    expect(failure.remedy).toContain(remedy);
  });

  it("names batch normalisation", async () => {
    const wish = wishes({ strategy: "async" });
    const { model } = wish.settings;
    const layers = [{ kind: "batchNorm", name: "norm", momentum: 0.9, epsilon: 1e-3 } as const, ...model.layers];
    const settings = { ...wish.settings, model: { ...model, layers } };
    const failure = await failureWithCode("CHOICE_UNSUPPORTED", () => refuseAsync({ ...wish, settings }));
    expect(failure.option).toBe("batch normalisation with --strategy");
  });

  it("lets pass what goes with it, and all of it with steps that are done together", () => {
    for (const collective of ["auto", "parameter-server"] as const) {
      expect(() => refuseAsync(wishes({ strategy: "async", accumulate: 3 }, { collective }))).not.toThrow();
    }
    const all = { compress: "fp16", "clip-norm": 2, "checkpoint-steps": 9 } as const;
    expect(() => refuseAsync(wishes(all, { collective: "shm" }))).not.toThrow();
  });
});
