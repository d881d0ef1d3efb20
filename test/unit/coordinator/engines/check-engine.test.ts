import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { checkEngine } from "../../../../coordinator/engines/check-engine.js";
import type { EngineLocation } from "../../../../shared/engine-store/locate-engine.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const LOCATION: EngineLocation = {
  name: "tensorflow",
  version: "1",
  device: "cpu",
  origin: "store",
  directory: "/e",
  bindingPath: "/e/binding.node",
  libraryDirectory: "/e/lib",
  tfjsNodeDirectory: null,
};

/** Runs a program in place of the checking command. */
async function check(program: string, location: EngineLocation | null = LOCATION) {
  const entry = join(await temporaryDirectory(), "entry.cjs");
  await writeFile(entry, program);
  const environment = { ["PATH"]: process.env["PATH"], ["RINGSTRASSE_CONFIG"]: "/train.json" };
  const { signal } = new AbortController();
  return await checkEngine("tensorflow", location, { entry, environment, threads: 3, seconds: 0.1, signal });
}

describe("the check of an engine in a process of its own", () => {
  it("tells the process what to load, with how many threads, and reads its last line", async () => {
    const told = await check(`console.log("noise");
      const args = process.argv.slice(2).join(" ");
      const right = args === "engine-check tensorflow --binding /e/binding.node --device cpu --threads 3 --seconds 0.1"
        && process.env.TF_NUM_INTRAOP_THREADS === "3" && process.env.TF_FORCE_GPU_ALLOW_GROWTH === "true"
        // A file of another command's options, which this one would refuse.
        && process.env.RINGSTRASSE_CONFIG === undefined;
      console.log(JSON.stringify({ engine: right ? "right" : args, version: "2", device: "cpu", threads: 3, gigaflops: 4 }));`);
    expect(told).toEqual({ engine: "right", version: "2", device: "cpu", threads: 3, gigaflops: 4 });
  });

  it.each([
    ['process.kill(process.pid, "SIGILL")', "SIGILL: the processor lacks instructions"],
    ['process.kill(process.pid, "SIGSEGV")', "ended with SIGSEGV"],
    ["process.abort()", "ended with SIGABRT"],
    [
      'process.stderr.write("ringstrasse: internal error: libx.so.2: cannot open shared object file\\n"); process.exitCode = 5',
      "ended with exit code 5: libx.so.2: cannot open shared object file",
    ],
  ])("outlives %s", async (program, problem) => {
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => check(program));
    expect(refused.problem).toContain(problem);
    expect(refused.remedy).toContain("ringstrasse engine install cpu --force");
    const own = await failureWithCode("ENGINE_UNAVAILABLE", () => check(program, null));
    expect(own.remedy).toBe("Install ringstrasse or the engine's npm package anew");
  });
});
