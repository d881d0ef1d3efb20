import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isOnPath } from "../support/is-on-path.js";
import { runCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const FindingSchema = z.strictObject({
  check: z.string().min(1),
  status: z.enum(["ok", "absent", "warning", "problem"]),
  found: z.string().min(1),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  remedy: z.string().min(1).nullable(),
});

describe("ringstrasse doctor", () => {
  it("looks at all sides of this machine, leaves nothing behind, and exits with 4 only for what is broken", async () => {
    const out = await temporaryDirectory();
    const { exitCode, stdout } = await runCommand(["doctor", "--quick", "--workers", "1", "--out", out, "--json"]);
    const findings = stdout
      .trimEnd()
      .split("\n")
      .map((line) => FindingSchema.parse(JSON.parse(line)));
    expect(exitCode).toBe(findings.some(({ status }) => status === "problem") ? 4 : 0);
    const checks = findings.map(({ check }) => check).filter((check) => !/^(mpirun|MPI)/.test(check));
    expect(checks).toEqual([
      ...["node", "processors", "memory", "shared memory", "run directory", "own name", "interfaces", "ports"],
      ...["clock", "GPUs", "Slurm", "engine wasm", "engine tensorflow", "engine tensorflow-gpu"],
    ]);
    const of = (check: string) => findings.find((finding) => finding.check === check);
    expect(of("node")).toMatchObject({ status: "ok" });
    expect(of("processors")).toMatchObject({ status: "ok", facts: { workers: 1, threads: 1 } });
    expect(of("run directory")).toMatchObject({ facts: { path: out } });
    expect(of("run directory")?.status).not.toBe("problem");
    expect(await readdir(out)).toEqual([]);
    // What can't be used has a remedy.
    for (const { status, remedy } of findings)
      if (status === "warning" || status === "problem") expect(remedy).not.toBeNull();
  });

  it("says the same to people, a mark for each finding and the remedy below it", async () => {
    const out = join(await temporaryDirectory(), "runs");
    const { stdout } = await runCommand(["doctor", "--quick", "--workers", "4096", "--out", out]);
    expect(stdout).toMatch(/^ok {2}node: Node \d/m);
    expect(stdout).toMatch(
      /^! {3}processors: .*4096 workers × 1 thread = 4096.*\n {6}Start at most \d+ workers? here/m,
    );
  });

  it.skipIf(!isOnPath("mpirun.openmpi"))("loads the library of Open MPI and names it (needs Open MPI)", async () => {
    const { exitCode, stdout } = await runCommand(["mpi-check", "libmpi.so.40"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      file: "libmpi.so.40",
      path: expect.stringMatching(/^\/.*libmpi\.so\.40/),
      family: "Open MPI",
      version: expect.stringMatching(/^Open MPI v\d/),
    });
  });
});
