import { writeFileSync } from "node:fs";
import process from "node:process";

/** What `ps -o comm` shows has at most so many characters. */
const SHORT_NAME_CHARACTERS = 15;
/** Of this process. */
const SHORT_NAME_FILE = "/proc/self/comm";

/**
 * Names this process for `ps`. Its short name gets no blanks: Node takes the title's beginning, and programs that split /proc/PID/stat at
 * blanks then don't find the process; among them is Slurm with `proctrack/linuxproc`, which could neither signal nor end it.
 */
export function nameProcess(title: string, shortNameFile = SHORT_NAME_FILE): void {
  process.title = title;
  if (process.platform !== "linux") return;
  try {
    writeFileSync(shortNameFile, title.replaceAll(" ", "-").slice(0, SHORT_NAME_CHARACTERS));
  } catch {
    // Sandboxes have /proc read-only, or none. A name is a help for people and for one plug-in of Slurm: no command may end for the lack of it.
  }
}
