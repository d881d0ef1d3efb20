import { type JobEvent, JobEventSchema, KEEP_ALIVE_MS } from "../../../shared/api/job-event.js";
import type { ApiClient } from "./api-client.js";
import { ApiError, type ApiProblem, toProblem } from "./api-error.js";
import { EventStreamParser, type ServerSentEvent } from "./event-stream-parser.js";

/** A job's event with its number in the stream. */
export interface NumberedEvent {
  readonly id: number;
  readonly event: JobEvent;
}

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Lost; tried again after `retryMs`. */
  | { readonly kind: "lost"; readonly problem: ApiProblem; readonly retryMs: number }
  /** Nobody tries again. */
  | { readonly kind: "ended" };

export interface FollowOptions {
  readonly api: ApiClient;
  readonly jobId: string;
  /** Events up to this one are known. */
  readonly after: number;
  readonly received: (events: readonly NumberedEvent[]) => void;
  readonly connection: (connection: Connection) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Resolves early when there is a reason to try again at once. Never rejects. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Silence after which a connection counts as broken. */
  readonly silenceMs?: number;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 8_000;
/** Two keep-alives may go missing. */
const DEFAULT_SILENCE_MS = 3 * KEEP_ALIVE_MS;

/** `stopped`: it was aborted. `missed`: the server no longer keeps all events behind the last one that was handed over. */
export type FollowEnd = "stopped" | "missed";

/**
 * Follows a job's events until aborted, resuming behind the last one after every loss. Each event is handed over once, and none behind
 * one that was missed.
 * @throws ApiError when there is no use in trying again: the job is unknown, or the server speaks of things this page doesn't know
 */
export async function followEvents(options: FollowOptions): Promise<FollowEnd> {
  const { signal, pause, connection } = options;
  let lastId = options.after;
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    connection({ kind: "connecting" });
    try {
      await readToGap(options, lastId, (id) => {
        lastId = id;
        retryMs = FIRST_RETRY_MS;
      });
      return "missed";
    } catch (thrown) {
      if (signal.aborted) break;
      const problem = toProblem(thrown);
      if (!worthAnotherTry(problem)) throw thrown;
      connection({ kind: "lost", problem, retryMs });
      await pause(retryMs, signal);
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    }
  }
  return "stopped";
}

/** A 401 is: the token may be entered meanwhile. */
function worthAnotherTry({ status, code }: ApiProblem): boolean {
  if (code === "PAGE_DEFECT" || code === "ANSWER_UNREADABLE") return false;
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

/** Reads up to the first event that was missed. @throws when the connection ends before: a stream has no end of its own */
async function readToGap(options: FollowOptions, after: number, reached: (id: number) => void): Promise<void> {
  const { api, jobId, received, connection, silenceMs = DEFAULT_SILENCE_MS } = options;
  const watch = new AbortController();
  const expire = () => watch.abort();
  let timer = setTimeout(expire, silenceMs);
  try {
    const stream = await api.events(jobId, after, AbortSignal.any([options.signal, watch.signal]));
    connection({ kind: "live" });
    const parser = new EventStreamParser();
    const reader = stream.getReader();
    let lastId = after;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw lostConnection("the coordinator closed the connection");
      clearTimeout(timer);
      timer = setTimeout(expire, silenceMs);
      const fresh = parser
        .push(value)
        .map(numbered)
        .filter(({ id }) => id > lastId);
      const known = lastId;
      // A job's events are numbered without a gap.
      const whole = fresh.filter(({ id }, index) => id === known + 1 + index);
      lastId += whole.length;
      if (whole.length > 0) {
        received(whole);
        reached(lastId);
      }
      if (whole.length < fresh.length) return;
    }
  } catch (thrown) {
    if (thrown instanceof ApiError || options.signal.aborted) throw thrown;
    if (watch.signal.aborted) throw lostConnection(`nothing was heard for ${silenceMs / 1000} s`, thrown);
    // A broken connection is a TypeError in browsers and in Node alike.
    if (thrown instanceof TypeError) throw lostConnection("the connection to the coordinator broke", thrown);
    throw thrown;
  } finally {
    clearTimeout(timer);
    watch.abort();
  }
}

function numbered(event: ServerSentEvent): NumberedEvent {
  const id = Number(event.id);
  const parsed = JobEventSchema.safeParse(jsonOf(event.data));
  if (parsed.success && Number.isSafeInteger(id)) return { id, event: parsed.data };
  const message = `the server sent an event "${event.event}" that this page doesn't understand. Reload the page`;
  const problem = { status: 200, code: "ANSWER_UNREADABLE", message, path: null, line: null };
  throw new ApiError(problem, { cause: parsed.error });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = "the server sent an event that is not JSON. Reload the page";
    throw new ApiError({ status: 200, code: "ANSWER_UNREADABLE", message, path: null, line: null }, { cause });
  }
}

function lostConnection(message: string, cause?: unknown): ApiError {
  return new ApiError({ status: 0, code: "CONNECTION_LOST", message, path: null, line: null }, { cause });
}
