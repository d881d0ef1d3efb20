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
  let next = new Expected(iterator.next());
  try {
    while (!signal.aborted) {
      if (!(await next.within(keepAliveMs))) {
        yield* taken(options, ": still here\n\n");
        continue;
      }
      const result = await next.promise;
      if (result.done === true) return;
      next = new Expected(iterator.next());
      yield* taken(options, frame(result.value));
    }
  } finally {
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

/**
 * A promise that is waited for again and again: with one reaction to it however often, since it keeps each until it settles. A rejection
 * is heard of when the promise is awaited, which may be never. One call of {@link within} at a time.
 */
class Expected<T> {
  readonly promise: Promise<T>;
  #isSettled = false;
  #wake: () => void = () => undefined;

  constructor(promise: Promise<T>) {
    this.promise = promise;
    const settled = () => {
      this.#isSettled = true;
      this.#wake();
    };
    promise.then(settled, settled);
  }

  /** Resolves to whether it has settled, after `ms` at most. */
  async within(ms: number): Promise<boolean> {
    if (this.#isSettled) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return this.#isSettled;
  }
}
