import { describe, expect, it } from "vitest";
import { TRAIN_OPTIONS } from "../../../../coordinator/cli/train-options.js";
import { refuseUnsupported } from "../../../../coordinator/job/refuse-unsupported.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

describe("refuseUnsupported", () => {
  it("--insecure: by name, with a remedy", async () => {
    const failure = await failureWithCode("CHOICE_UNSUPPORTED", () => refuseUnsupported({ insecure: true }));
    expect(failure).toMatchObject({ option: "--insecure", value: "", supported: [] });
    expect(failure.remedy).toMatch(/^Leave it out/);
  });

  it.each([{}, { insecure: false }])("lets pass what asks for nothing: %j", (options) => {
    expect(() => refuseUnsupported(options)).not.toThrow();
  });

  it("is all of the help's last group", () => {
    const later = Object.entries(TRAIN_OPTIONS).filter(([, { group }]) => group === "Not available yet:");
    expect(later.map(([name]) => name)).toEqual(["insecure"]);
  });
});
