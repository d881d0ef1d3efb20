import { execFile } from "node:child_process";

/** What a command of the system said. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it ended well. */
  readonly isGood: boolean;
}

/** Commands that ask a daemon may hang as long as that does. */
const PATIENCE_MS = 10_000;

/** Runs a command of the system. @returns null when there is none of this name; never throws for what it says or how it ends */
export function commandOutput(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<CommandOutput | null> {
  return new Promise((resolve) => {
    const options = { env: environment, timeout: PATIENCE_MS, killSignal: "SIGKILL" } as const;
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const isMissing = error !== null && "code" in error && error.code === "ENOENT";
      resolve(isMissing ? null : { stdout, stderr, isGood: error === null });
    });
  });
}
