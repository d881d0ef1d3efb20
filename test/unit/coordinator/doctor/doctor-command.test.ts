import { describe, expect, it } from "vitest";
import { enginesCheck } from "../../../../coordinator/doctor/check-engines.js";
import { nodeCheck } from "../../../../coordinator/doctor/check-node.js";
import { diagnose } from "../../../../coordinator/doctor/doctor-command.js";
import { RingstrasseError } from "../../../../shared/failure.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function engines(isBroken: boolean) {
  const projectDirectory = await temporaryDirectory();
  return enginesCheck({
    environment: { ["RINGSTRASSE_ENGINE_DIR"]: projectDirectory },
    projectDirectory,
    cores: 4,
    threads: 1,
    quick: false,
    check: (engine, _location, threads) => {
      if (!isBroken)
        return Promise.resolve({ engine, version: "tfjs 4.22.0", device: "cpu", threads, gigaflops: 5.25 });
      const remedy = "Install ringstrasse anew";
      return Promise.reject(
        new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine, problem: "it is bent", remedy }),
      );
    },
  });
}

describe("doctor", () => {
  it("says of each engine what it is and how fast, and of a missing one how to get it; that is no fault", async () => {
    const { text, exitCode, findings } = await diagnose(
      [nodeCheck("20.19.2", "linux-x64"), await engines(false)],
      false,
    );
    expect(exitCode).toBe(0);
    expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
      "node ok",
      "engine wasm ok",
      "engine tensorflow absent",
      "engine tensorflow-gpu absent",
    ]);
    const lines = text.split("\n");
    expect(lines.slice(0, 2)).toEqual([
      "ok  node: Node 20.19.2 on linux-x64",
      "ok  engine wasm: tfjs 4.22.0, on the CPU, 5.25 GFLOP/s with 1 thread",
    ]);
    expect(text).toContain("      Run: ringstrasse engine install cpu");
  });

  it("an engine that is here and broken is a problem, exit 4; --json has an object per finding", async () => {
    const { text, exitCode } = await diagnose([await engines(true)], true);
    expect(exitCode).toBe(4);
    const [wasm, tensorflow] = text.split("\n").map((line) => JSON.parse(line));
    expect(wasm).toMatchObject({
      check: "engine wasm",
      status: "problem",
      found: "it is bent",
      remedy: "Install ringstrasse anew",
      facts: { device: "cpu", gigaflops: null },
    });
    expect(tensorflow).toMatchObject({ status: "absent", facts: { version: "2.18.1", directory: null } });
  });

  it.each([
    ["20.19.0", "ok", 0],
    ["24.1.0", "ok", 0],
    ["20.18.3", "problem", 4],
    ["18.20.0", "problem", 4],
  ])("Node %s", async (version, status, exitCode) => {
    const diagnosis = await diagnose([nodeCheck(version, "linux-x64")], false);
    expect(diagnosis).toMatchObject({ exitCode, findings: [{ status }] });
    expect(diagnosis.findings[0]?.remedy).toBe(status === "ok" ? null : "Install Node 20.19 or newer");
  });

  it("a check that fails is a problem of its own, and what the others found is told; an interruption ends all", async () => {
    const node = nodeCheck("20.19.2", "linux-x64");
    const bent = () => Promise.reject(new TypeError("no such thing"));
    const { findings, exitCode } = await diagnose([node, bent, node], false);
    expect(exitCode).toBe(4);
    expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual(["node ok", "doctor problem", "node ok"]);
    expect(findings[1]?.found).toContain("no such thing");
    const interruption = new RingstrasseError({ code: "INTERRUPTED", signal: "SIGINT" });
    await expect(diagnose([node, () => Promise.reject(interruption)], false)).rejects.toBe(interruption);
  });
});
