import { z } from "zod";

const LogLineSchema = z.object({ msg: z.string() });
/** e.g. `RangeError: …`, `Error [ERR_MODULE_NOT_FOUND]: …` */
const ERROR_LINE = /^\s*(?:Uncaught )?\w*Error\b.*:/;

/**
 * What a process that ended said about it, from the end of its stderr: the message of its last log line, else the headline of the error
 * that it died of, else its last line. Null when it said nothing. Pure.
 */
export function lastWords(stderr: string): string | null {
  const lines = stderr.split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "" && !/^Node\.js v\d/.test(line));
  const logged = said.map(messageOf).findLast((message) => message !== null);
  const headline = said.findLast((line) => ERROR_LINE.test(line));
  return logged ?? headline ?? said.at(-1) ?? null;
}

function messageOf(line: string): string | null {
  if (!line.startsWith("{")) return null;
  try {
    return LogLineSchema.parse(JSON.parse(line)).msg;
  } catch {
    // Cut off at the front, or not a log line: the other rules see it as text.
    return null;
  }
}
