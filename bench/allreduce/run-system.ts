import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { endWithThis } from "../support/end-with-this.js";
import type { Timing } from "./rank-messages.js";
import { tookTooLong } from "./time-limit.js";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 1024 * 1024;

export interface LaunchTerms {
  /** Then it is ended, and has failed; whole milliseconds. */
  readonly limitMs: number;
  /** Beside this process's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends it, which then fails. Default: nobody does. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program that writes a line of `count microseconds wrong` for each size. Settles when it has ended, whatever ended it.
 * @throws when it fails, or takes longer than it may
 */
export async function launch(
  program: string,
  args: readonly string[],
  { limitMs, environment = {}, signal }: LaunchTerms,
): Promise<Timing[]> {
  signal?.throwIfAborted();
  const env = { ...process.env, ...environment };
  const running = run(program, args, { maxBuffer: MAX_OUTPUT_BYTES, timeout: limitMs, env });
  endWithThis(running.child);
  const end = () => running.child.kill();
  signal?.addEventListener("abort", end);
  try {
    return timingsOf((await running).stdout);
  } catch (thrown) {
    const { killed, code } = thrown as { readonly killed?: boolean; readonly code?: unknown };
    const wasLate = killed === true && code !== "ERR_CHILD_PROCESS_STDIO_MAXBUFFER" && signal?.aborted !== true;
    if (wasLate) throw new Error(tookTooLong(program, limitMs), { cause: thrown });
    throw thrown;
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

function timingsOf(stdout: string): Timing[] {
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
