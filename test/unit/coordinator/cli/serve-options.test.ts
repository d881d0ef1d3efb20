import { describe, expect, it } from "vitest";
import { SERVE_OPTIONS } from "../../../../coordinator/cli/serve-options.js";
import { resolveOptions } from "../../../../shared/cli/option-table.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const read = (flags: Readonly<Record<string, string>>) =>
  resolveOptions(SERVE_OPTIONS, { flags, environment: {}, configFile: null }).values;

describe("options of ringstrasse serve", () => {
  it.each(["token", "read-token"])("take as --%s only what a header can carry, and never repeat it", async (name) => {
    for (const token of [
      "correct horse battery",
      "Schlüssel-1",
      "abc…defgh",
      "a-good-token\u200b",
      "a\nb-c-d-e-f",
      "short",
    ]) {
      const failure = await failureWithCode("USAGE", () => read({ [name]: token }));
      expect(failure).toMatchObject({ option: `--${name}` });
      expect(JSON.stringify(failure)).not.toContain(token);
    }
    const good = "!a~Good/token+0=";
    expect(read({ [name]: good })).toEqual({ [name]: good });
  });

  it("take as --public-url a place whose root is the server's", async () => {
    for (const url of ["https://h", "https://h/", "https://h:8443", "http://[::1]:8080/"]) {
      expect(read({ "public-url": url })).toEqual({ "public-url": url });
    }
    for (const url of [
      "https://h/x",
      "https://h/x/",
      "https://h/?q=1",
      "https://h/#f",
      "https://u:p@h/",
      "ftp://h/",
      "h",
    ]) {
      expect(await failureWithCode("USAGE", () => read({ "public-url": url }))).toMatchObject({
        option: "--public-url",
      });
    }
  });
});
