import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { nameProcess } from "../../../shared/name-process.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe.runIf(process.platform === "linux")("nameProcess (on Linux)", () => {
  it("gives a title, and a short name without blanks", async () => {
    const { title } = process;
    onTestFinished(() => nameProcess(title));
    const file = join(await temporaryDirectory(), "comm");
    nameProcess("ringstrasse worker w1", file);
    expect(process.title).toBe("ringstrasse worker w1");
    expect(await readFile(file, "utf8")).toBe("ringstrasse-wor");
  });

  it("ends nothing where the short name can't be written", () => {
    const { title } = process;
    onTestFinished(() => nameProcess(title));
    nameProcess("ringstrasse worker w2", "/proc/not/there");
    expect(process.title).toBe("ringstrasse worker w2");
  });
});
