import { describe, expect, it } from "vitest";
import { TRAIN_OPTIONS, type TrainOptions } from "../../../../coordinator/cli/train-options.js";
import { refuseUnsupported } from "../../../../coordinator/job/refuse-unsupported.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const REFUSED: readonly (readonly [TrainOptions, string, string, readonly string[]])[] = [
  [{ insecure: true }, "--insecure", "", []],
];

describe("refuseUnsupported", () => {
  it.each(REFUSED)("%j: by name, with what there is", async (options, option, value, supported) => {
    const failure = await failureWithCode("CHOICE_UNSUPPORTED", () => refuseUnsupported(options));
    expect(failure).toMatchObject({ option, value, supported });
    expect(failure.remedy).toMatch(supported.length === 0 ? /^Leave it out/ : /^Choose one of those/);
  });

  it("lets pass what there is, and what asks for nothing", () => {
    const defaults = { threads: 2, strategy: "local-sgd", accumulate: 8, compress: "topk", insecure: false } as const;
    for (const engine of ["auto", "wasm", "tensorflow", "tensorflow-gpu"] as const) {
      for (const collective of ["auto", "ring", "shm", "hierarchical", "mpi", "parameter-server"] as const) {
        expect(() => refuseUnsupported({ ...defaults, engine, collective })).not.toThrow();
      }
    }
    expect(() => refuseUnsupported({})).not.toThrow();
  });

  it("every option of the help's last group is refused here", () => {
    const later = Object.entries(TRAIN_OPTIONS).filter(([, { group }]) => group === "Not available yet:");
    const tested = REFUSED.map(([, option]) => option);
    expect(later.length).toBeGreaterThan(0);
    for (const [name] of later) expect(tested).toContain(`--${name}`);
  });
});
