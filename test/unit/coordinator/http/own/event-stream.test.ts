import { describe, expect, it } from "vitest";
import { EventStreamParser } from "../../../../../coordinator/dashboard/api/event-stream-parser.js";
import { type EventStreamOptions, eventStream, frame } from "../../../../../coordinator/http/own/event-stream.js";
import type { JobStreamEvent } from "../../../../../coordinator/store/job-record.js";
import { deferred } from "../../../../../shared/deferred.js";

const event = (sequence: number, data = `{"step":${sequence}}`): JobStreamEvent => ({
  sequence,
  at: 0,
  kind: "step",
  data,
});

/** Events up to `count`, then silence until the signal aborts; says how many were asked for. */
function source(count: number, signal: AbortSignal) {
  const asked = { count: 0, ended: false };
  async function* events(): AsyncGenerator<JobStreamEvent, void, void> {
    try {
      for (let sequence = 1; sequence <= count; sequence++) {
        asked.count++;
        yield event(sequence);
      }
      asked.count++;
      const end = deferred<void>();
      signal.addEventListener("abort", () => end.resolve());
      await end.promise;
    } finally {
      asked.ended = true;
    }
  }
  return { asked, events: events() };
}

function options(events: AsyncIterable<JobStreamEvent>, changes: Partial<EventStreamOptions> = {}): EventStreamOptions {
  const signal = new AbortController().signal;
  return { events, signal, keepAliveMs: 60_000, stallMs: 60_000, stalled: () => undefined, ...changes };
}

describe("eventStream", () => {
  it("tells once when to come back, then every event with its number, kind and data", async () => {
    const end = new AbortController();
    const { events } = source(2, end.signal);
    const stream = eventStream(options(events, { signal: end.signal }));
    const texts = [await stream.next(), await stream.next(), await stream.next()].map(({ value }) => value);
    end.abort();

    expect(texts).toEqual([
      "retry: 1000\n\n",
      'id: 1\nevent: step\ndata: {"step":1}\n\n',
      'id: 2\nevent: step\ndata: {"step":2}\n\n',
    ]);
    expect((await stream.next()).done).toBe(true);
  });

  it("says that it is still there when nothing happens", async () => {
    const end = new AbortController();
    const { events } = source(0, end.signal);
    const stream = eventStream(options(events, { signal: end.signal, keepAliveMs: 1 }));
    await stream.next();
    for (let time = 0; time < 3; time++) expect((await stream.next()).value).toMatch(/^: .+\n\n$/);
    end.abort();
    await stream.return();
  });

  it("waits for the next event in one way however often it says so: a promise keeps all that wait for it", async () => {
    let reactions = 0;
    class CountedPromise extends Promise<never> {
      // biome-ignore lint/suspicious/noThenProperty: it counts those of the promise
      override then<A, B>(...handlers: Parameters<Promise<never>["then"]>): Promise<A | B> {
        reactions++;
        return super.then(...handlers) as Promise<A | B>;
      }
    }
    const next = () => new CountedPromise(() => undefined);
    const events = { [Symbol.asyncIterator]: () => ({ next }) };
    const stream = eventStream(options(events, { keepAliveMs: 1 }));
    for (let time = 0; time < 20; time++) await stream.next();
    expect(reactions).toBeLessThanOrEqual(2);
    await stream.return();
  });

  it("asks for no more than one event ahead of its reader", async () => {
    const end = new AbortController();
    const { events, asked } = source(1000, end.signal);
    const stream = eventStream(options(events, { signal: end.signal }));
    for (let time = 0; time < 4; time++) await stream.next();

    expect(asked.count).toBeLessThanOrEqual(4);
    await stream.return();
    expect(asked.ended).toBe(true);
  });

  it("gives up a reader that takes nothing", async () => {
    const end = new AbortController();
    const { events } = source(1, end.signal);
    const stalled = deferred<void>();
    const stream = eventStream(options(events, { signal: end.signal, stallMs: 5, stalled: stalled.resolve }));
    await stream.next();
    await stalled.promise;
    await stream.return();
  });

  it("rises what its source throws", async () => {
    async function* broken(): AsyncGenerator<JobStreamEvent, void, void> {
      yield await Promise.resolve(event(1));
      throw new Error("the store is gone");
    }
    const stream = eventStream(options(broken()));
    await stream.next();
    await stream.next();
    await expect(stream.next()).rejects.toThrow("the store is gone");
  });
});

describe("frame", () => {
  it("is read back by the dashboard, whatever line ends the data has", () => {
    const text = frame(event(7, "one\ntwo\r\nthree\rfour"));
    const parsed = new EventStreamParser().push(Buffer.from(text));
    expect(parsed).toEqual([{ id: "7", event: "step", data: "one\ntwo\nthree\nfour" }]);
  });
});
