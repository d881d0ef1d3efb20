import { writeFileSync } from "node:fs";
import process from "node:process";

/** What `ps -o comm` shows has at most so many characters. */
const SHORT_NAME_CHARACTERS = 15;

/**
 * Names this process for `ps`. Its short name gets no blanks: Node takes the title's beginning, and programs that split /proc/PID/stat at
 * blanks then don't find the process; among them is Slurm with `proctrack/linuxproc`, which could neither signal nor end it.
 */
export function nameProcess(title: string): void {
  process.title = title;
  if (process.platform !== "linux") return;
  writeFileSync("/proc/self/comm", title.replaceAll(" ", "-").slice(0, SHORT_NAME_CHARACTERS));
}
