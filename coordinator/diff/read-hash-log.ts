import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { RingstrasseError } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";
import {
  compareEntryPlaces,
  HASH_LOG_FILE,
  HASH_LOG_VERSION,
  type HashLogEntry,
  HashLogEntrySchema,
  type HashLogHeader,
  HashLogHeaderSchema,
} from "../output/hash-log-format.js";
import type { HashLog } from "./compare-runs.js";

const DAMAGED = "Compare undamaged runs, or run the job again";
/** A header names every tensor; longer lines are no log. */
const MAX_LINE_CHARS = 256 * 1024 * 1024;

interface Line {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
}

/**
 * Opens the hash log of a run. Entries are read as they are asked for, once, since step logs may be larger than memory; a last line
 * that was cut off, when a run was killed, is left out. Dispose of it after use.
 * @param path a run's output directory, or its `hashes.jsonl`.
 * @throws RingstrasseError INPUT_MISSING, DATA_INVALID with the line; the entries throw DATA_INVALID as well.
 */
export async function readHashLog(path: string): Promise<HashLog & AsyncDisposable> {
  const file = await logFile(path);
  const lines = readLines(file);
  const first = await lines.next();
  if (first.done === true) {
    throw invalid(file, { row: null, problem: "the log is empty: the run ended before it began" });
  }
  const dispose = async () => {
    await lines.return();
  };
  try {
    const header = parseHeader(file, first.value);
    return { name: path, header, entries: readEntries(file, header, lines), [Symbol.asyncDispose]: dispose };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}

async function logFile(path: string): Promise<string> {
  const remedy = `Give the output directory of a run (it holds ${HASH_LOG_FILE}), or that file itself`;
  try {
    if (!(await stat(path)).isDirectory()) return path;
    await stat(join(path, HASH_LOG_FILE));
    return join(path, HASH_LOG_FILE);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const missing = cause.code === "ENOENT" || cause.code === "ENOTDIR";
    const inside = "path" in cause && cause.path !== path;
    const problem = !missing
      ? `it can't be read (${cause.code})`
      : inside
        ? `there is no ${HASH_LOG_FILE} in this directory`
        : "there is no such file or directory";
    throw new RingstrasseError({ code: "INPUT_MISSING", file: path, problem, remedy }, { cause });
  }
}

/** Whole lines only. */
async function* readLines(file: string): AsyncGenerator<Line, void> {
  let rest = "";
  let number = 0;
  try {
    for await (const chunk of createReadStream(file, { encoding: "utf8", highWaterMark: 1 << 20 })) {
      const parts = (rest + String(chunk)).split("\n");
      rest = parts.pop() ?? "";
      for (const text of parts) yield { number: ++number, text };
      if (rest.length > MAX_LINE_CHARS) throw invalid(file, { row: number + 1, problem: "the line is too long" });
    }
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const problem = `it can't be read (${cause.code})`;
    throw new RingstrasseError(
      { code: "INPUT_MISSING", file, problem, remedy: "Check the path and its permissions" },
      { cause },
    );
  }
}

function parseHeader(file: string, line: Line): HashLogHeader {
  const raw = parseLine(file, line);
  const version = typeof raw === "object" && raw !== null && "formatVersion" in raw ? raw.formatVersion : undefined;
  if (version !== undefined && version !== HASH_LOG_VERSION) {
    throw invalid(file, {
      row: line.number,
      problem: `the log's format version is ${JSON.stringify(version)}, this version of ringstrasse reads ${HASH_LOG_VERSION}`,
      remedy: "Use the version of ringstrasse that wrote it",
    });
  }
  return checked(file, line, HashLogHeaderSchema.safeParse(raw), "the first line is no header of a hash log");
}

async function* readEntries(
  file: string,
  header: HashLogHeader,
  lines: AsyncGenerator<Line, void>,
): AsyncGenerator<HashLogEntry, void> {
  let previous: HashLogEntry | null = null;
  for await (const line of lines) {
    const entry = checked(file, line, HashLogEntrySchema.safeParse(parseLine(file, line)), "the line is no entry");
    const problem = shapeProblem(header, entry);
    if (problem !== null) throw invalid(file, { row: line.number, problem });
    if (previous !== null && compareEntryPlaces(previous, entry) >= 0) {
      const place = `epoch ${entry.epoch}, step ${entry.step}`;
      const after = `epoch ${previous.epoch}, step ${previous.step}`;
      throw invalid(file, { row: line.number, problem: `the entry of ${place} comes after that of ${after}` });
    }
    previous = entry;
    yield entry;
  }
}

/** What doesn't agree with the header; null when all does. */
function shapeProblem(header: HashLogHeader, entry: HashLogEntry): string | null {
  const { blockCount } = header.blocks;
  const lists = entry.kind === "epoch" ? entry.state : entry.replicas.map((replica) => replica.gradients);
  const wrong = [entry.parameters, ...lists].find((hashes) => hashes.length !== blockCount);
  if (wrong !== undefined) return `${wrong.length} hashes where the header has ${blockCount} blocks`;
  if (entry.kind === "epoch") {
    if (entry.state.length === header.stateNames.length) return null;
    return `${entry.state.length} state arenas where the header has ${header.stateNames.length}`;
  }
  const numbers = entry.replicas.map(({ replica }) => replica);
  const complete = numbers.length === header.replicas && numbers.every((replica, index) => replica === index);
  return complete ? null : `the step has replicas ${numbers.join(" ")} where the header has ${header.replicas} of them`;
}

function parseLine(file: string, { number, text }: Line): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(file, { row: number, problem: "the line is not JSON" }, cause);
  }
}

function checked<T>(file: string, line: Line, result: z.ZodSafeParseResult<T>, problem: string): T {
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? "" : ` (${issue.path.join(".") || "line"}: ${issue.message})`;
  throw invalid(file, { row: line.number, problem: problem + where }, result.error);
}

function invalid(
  file: string,
  { row, problem, remedy = DAMAGED }: { row: number | null; problem: string; remedy?: string },
  cause?: unknown,
): RingstrasseError {
  return new RingstrasseError({ code: "DATA_INVALID", file, row, column: null, problem, remedy }, { cause });
}
