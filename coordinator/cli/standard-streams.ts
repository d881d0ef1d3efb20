import process from "node:process";
import { describeFailure } from "../../shared/describe-failure.js";
import { exitCodeOf, type Failure } from "../../shared/failure.js";
import { writeFailure } from "../../shared/write-failure.js";

/** Writes a command's answer. @returns the exit code of success */
export function print(text: string): number {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}

/** Writes a command's answer; resolves when stdout has taken the text. @throws RingstrasseError OUTPUT_UNWRITABLE when its reader has gone (`| head`) */
export function written(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => reject(writeFailure("stdout", cause));
    // Stays for good: the stream's own event comes after the callback.
    process.stdout.on("error", refuse);
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`, (error) => (error ? refuse(error) : resolve()));
  });
}

/** Tells a person of a failure. @returns its exit code */
export function report(failure: Failure): number {
  process.stderr.write(`ringstrasse: ${describeFailure(failure)}\n`);
  return exitCodeOf(failure.code);
}
