import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a command writes to stdout. @throws Error with the command and what it said when it fails */
export async function outputOf([program = "", ...args]: readonly string[]): Promise<string> {
  try {
    return (await run(program, args)).stdout;
  } catch (thrown) {
    const { stderr, message } = thrown as { readonly stderr?: string; readonly message: string };
    throw new Error(`${[program, ...args].join(" ")}: ${stderr?.trim() || message}`, { cause: thrown });
  }
}
