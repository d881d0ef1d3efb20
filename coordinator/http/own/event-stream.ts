import type { JobStreamEvent } from "../../store/job-record.js";

export interface EventStreamOptions {
  readonly events: AsyncIterable<JobStreamEvent>;
  /** Ends the stream, and `events` with it. */
  readonly signal: AbortSignal;
  readonly keepAliveMs: number;
  /** A reader that takes nothing for so long is given up: `stalled` is called. */
  readonly stallMs: number;
  readonly stalled: () => void;
}

/** How long a client should wait before it comes back. */
const RETRY_MS = 1000;

/**
 * A job's events in the format of server-sent events, each with its number, and a comment line whenever there was none for `keepAliveMs`.
 * Asks for an event only when the reader has taken what came before. Source: HTML Living Standard §9.2.
 */
export async function* eventStream(options: EventStreamOptions): AsyncGenerator<string, void, void> {
  const { events, signal, keepAliveMs } = options;
  yield* taken(options, `retry: ${RETRY_MS}\n\n`);
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    while (!signal.aborted) {
      const result = await withinTime(next, keepAliveMs);
      if (result === null) {
        yield* taken(options, ": still here\n\n");
        continue;
      }
      if (result.done === true) return;
      next = iterator.next();
      // Heard of when it is awaited, which may be never.
      next.catch(() => undefined);
      yield* taken(options, frame(result.value));
    }
  } finally {
    next.catch(() => undefined);
    await iterator.return?.();
  }
}

/** One event as text. Pure. */
export function frame({ sequence, kind, data }: JobStreamEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `id: ${sequence}\nevent: ${kind}\n${lines.join("")}\n`;
}

/** Hands `text` over; whoever reads comes back for more when there is room. */
function* taken({ stallMs, stalled }: EventStreamOptions, text: string): Generator<string, void, void> {
  const timer = setTimeout(stalled, stallMs);
  try {
    yield text;
  } finally {
    clearTimeout(timer);
  }
}

/** Null: it takes longer than `ms`. */
async function withinTime<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
