import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { onTestFinished } from "vitest";
import { ROOT } from "./run-command.js";

export interface BenchEnd {
  readonly exitCode: number;
  /** The benchmark's one line of output, parsed. */
  readonly result: Readonly<Record<string, unknown>>;
}

/**
 * Runs a compiled benchmark, which is ended when the test finishes, should it still run; its own checks set the exit code.
 * @param env beside this process's environment
 * @throws with what it said, when it gives no result
 */
export function runBench(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<BenchEnd> {
  return new Promise((resolve, reject) => {
    const entry = join(ROOT, `dist/bench/${name}.js`);
    const options = { cwd: ROOT, maxBuffer: 2 ** 26, env: { ...process.env, ...env } };
    const child = execFile(process.execPath, [entry, ...args], options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      const line = stdout.trimEnd().split("\n").at(-1) ?? "";
      if (typeof exitCode === "number" && line.startsWith("{"))
        resolve({ exitCode, result: JSON.parse(line) as BenchEnd["result"] });
      else reject(new Error(`${name} gave no result: ${stderr}`, { cause: error }));
    });
    onTestFinished(() => {
      child.kill("SIGTERM");
    });
  });
}
