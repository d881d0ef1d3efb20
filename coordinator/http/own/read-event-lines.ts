import type { z } from "zod";
import { EVENT_BATCH } from "../../../shared/api/run-report.js";
import { RingstrasseError } from "../../../shared/failure.js";
import { type TrainEvent, TrainEventSchema } from "../../../shared/train-events.js";

/** How a body holds events: one as JSON per line, or all in a JSON array. */
export type EventsFormat = "ndjson" | "json";

/** Pure: the events in a body, 1 to {@link EVENT_BATCH}. @throws RingstrasseError DOCUMENT_INVALID naming the line */
export function readEvents(text: string, format: EventsFormat): TrainEvent[] {
  const events = format === "ndjson" ? readLines(text) : readArray(text);
  if (events.length === 0) throw invalid(null, "", "there is no event in it");
  if (events.length > EVENT_BATCH) throw invalid(null, "", `${events.length} events are more than ${EVENT_BATCH}`);
  return events;
}

function readLines(text: string): TrainEvent[] {
  return text.split("\n").flatMap((raw, index) => {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    return line.trim() === "" ? [] : [readEvent(parseJson(line, index + 1), index + 1, "")];
  });
}

function readArray(text: string): TrainEvent[] {
  const value = parseJson(text, null);
  if (!Array.isArray(value)) throw invalid(null, "", "it is no array");
  return value.map((item, index) => readEvent(item, null, `/${index}`));
}

function readEvent(value: unknown, line: number | null, path: string): TrainEvent {
  const result = TrainEventSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const inner = issue === undefined ? "" : issue.path.map((key) => `/${String(key)}`).join("");
  throw invalid(line, `${path}${inner}`, `it is no event of a run (${describe(issue)})`, result.error);
}

function describe(issue: z.core.$ZodIssue | undefined): string {
  return issue?.message ?? "no reason given";
}

function parseJson(text: string, line: number | null): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw invalid(line, "", `it is not JSON (${cause.message})`, cause);
  }
}

function invalid(line: number | null, path: string, why: string, cause?: Error): RingstrasseError {
  const problem = `${line === null ? "the body" : `line ${line} of the body`}: ${why}`;
  const remedy = "Send what train --json prints, one event per line, in batches";
  const elementPath = path === "" ? null : path;
  return new RingstrasseError(
    { code: "DOCUMENT_INVALID", file: null, line, column: null, elementPath, problem, remedy },
    { cause },
  );
}
