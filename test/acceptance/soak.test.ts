import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Ending {
  readonly exitCode: number;
  /** The benchmark's one line of output, parsed. */
  readonly result: Record<string, unknown>;
}

/** Runs a compiled benchmark; its own checks set the exit code. */
function runBench(name: string, args: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(ROOT, `dist/bench/${name}.js`), ...args],
      { cwd: ROOT },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code;
        const line = stdout.trimEnd().split("\n").at(-1) ?? "";
        if (typeof exitCode === "number" && line.startsWith("{"))
          resolve({ exitCode, result: JSON.parse(line) as Ending["result"] });
        else reject(new Error(`${name} gave no result: ${stderr}`, { cause: error }));
      },
    );
  });
}

/** Runs of bench/ that need no more than minutes; the long soak is run by hand (`npm run bench:false-alarms`). */
describe("soak", () => {
  it("raises no false alarm in a minute during which every core is overloaded", async () => {
    const { exitCode, result } = await runBench("false-alarms", ["--minutes", "1", "--epochs", "20"]);
    expect(result["alarms"]).toEqual([]);
    expect(result["steps"]).toBeGreaterThan(0);
    expect(exitCode).toBe(0);
  });

  const hasProc = existsSync("/proc/self/status");
  it.skipIf(!hasProc)("holds no large file in memory and does not grow with the steps (needs /proc)", async () => {
    const { exitCode, result } = await runBench("memory", []);
    expect(result["complaints"]).toEqual([]);
    expect((result["large"] as { steps: number }).steps).toBeGreaterThanOrEqual(10_000);
    expect(exitCode).toBe(0);
  });
});
