import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import type { Timing } from "./rank-messages.js";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 1024 * 1024;
const RUN_MS = 300_000;

/**
 * Runs a program that writes a line of `count microseconds wrong` for each size.
 * @param environment beside this process's @throws when it fails
 */
export async function launch(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Timing[]> {
  const env = { ...process.env, ...environment };
  const { stdout } = await run(program, args, { maxBuffer: MAX_OUTPUT_BYTES, timeout: RUN_MS, env });
  return stdout
    .split("\n")
    .filter((line) => /^\d+ [\d.]+ \d+$/.test(line))
    .map((line) => {
      const [count = 0, microseconds = 0, wrong = 0] = line.split(" ").map(Number);
      return { count, microseconds, wrong };
    });
}

/** A command's file. @param path the search path. @throws Error that it is not installed */
export async function findCommand(path: string, name: string): Promise<string> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  throw new Error(`${name} is not installed`);
}
