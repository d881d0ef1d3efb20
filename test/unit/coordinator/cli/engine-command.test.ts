import process from "node:process";
import { describe, expect, it } from "vitest";
import { runEngineCommand } from "../../../../coordinator/cli/engine-command.js";
import { createInstallProgress } from "../../../../coordinator/cli/install-progress.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { TextSink } from "../../../support/text-sink.js";

async function run(args: readonly string[]) {
  const place = await temporaryDirectory();
  return await runEngineCommand(args, {
    environment: { ["RINGSTRASSE_ENGINE_DIR"]: place, ["HOME"]: place },
    projectDirectory: place,
    execPath: process.execPath,
    entry: "/nowhere.js",
    cores: 2,
    version: "0.0.0",
    emit: () => null,
    signal: new AbortController().signal,
  });
}

describe("ringstrasse engine", () => {
  it("explains itself", async () => {
    expect((await run(["--help"])).text).toContain("install cpu|gpu");
    expect((await run(["install", "--help"])).text).toContain("ringstrasse engine install cpu|gpu [options]");
    expect((await run(["list", "--help"])).text).toContain("--quick");
  });

  it("refuses other actions and engines", async () => {
    const cases = [
      [[], "an action is missing"],
      [["upgrade"], 'there is no action "upgrade"'],
      [["install"], "the engine: cpu (tensorflow) or gpu (tensorflow-gpu) is missing"],
      [["install", "tpu"], 'there is no engine "tpu" to install'],
      [["remove", "wasm"], "wasm is always there"],
      [["list", "--workers", "2"], "engine list has no such option"],
      [["list", "--threads", "0"], "at least 1"],
    ] as const;
    for (const [args, problem] of cases) {
      expect((await failureWithCode("USAGE", () => run(args))).problem).toContain(problem);
    }
  });

  it("lists quickly without loading anything", async () => {
    const { text, exitCode } = await run(["list", "--quick", "--json"]);
    const engines = text.split("\n").map((line) => JSON.parse(line));
    expect(engines.map(({ engine, status }) => [engine, status])).toEqual([
      ["wasm", "ready"],
      ["tensorflow", "missing"],
      ["tensorflow-gpu", "missing"],
    ]);
    expect(exitCode).toBe(0);
  });

  it("says when there is nothing to remove", async () => {
    expect((await run(["remove", "tensorflow"])).text).toMatch(/^tensorflow is not installed in /);
    expect(JSON.parse((await run(["remove", "gpu", "--json"])).text)).toMatchObject({
      event: "absent",
      engine: "tensorflow-gpu",
    });
  });
});

describe("the progress of an installation", () => {
  it("is a line for each tenth where there is no terminal", () => {
    const sink = new TextSink();
    const progress = createInstallProgress(sink);
    const directory = "/store/x";
    progress.handle({
      event: "install",
      engine: "tensorflow",
      version: "2",
      directory,
      downloadBytes: 200e6,
      resumedBytes: 50e6,
    });
    for (const receivedBytes of [50e6, 51e6, 60e6, 200e6]) {
      progress.handle({ event: "download", package: "tf", version: "2", receivedBytes, downloadBytes: 200e6 });
    }
    progress.handle({ event: "unpack", package: "tf", version: "2" });
    progress.handle({ event: "compile", compiler: "g++" });
    progress.handle({ event: "check" });
    progress.stop();
    expect(sink.text.split("\n")).toEqual([
      "installing tensorflow 2 into /store/x: 200 MB to fetch, 50 MB of them here already",
      "20%, 50 of 200 MB, tf",
      "30%, 60 of 200 MB, tf",
      "100%, 200 of 200 MB, tf",
      "unpacking tf 2",
      "compiling the binding with g++",
      "checking that it computes",
      "",
    ]);
  });
});
