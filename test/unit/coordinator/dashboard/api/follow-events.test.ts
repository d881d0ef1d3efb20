import { describe, expect, it, onTestFinished } from "vitest";
import { ApiClient } from "../../../../../coordinator/dashboard/api/api-client.js";
import { type ApiError, toProblem } from "../../../../../coordinator/dashboard/api/api-error.js";
import {
  type Connection,
  followEvents,
  type NumberedEvent,
} from "../../../../../coordinator/dashboard/api/follow-events.js";
import { deferred } from "../../../../../shared/deferred.js";
import { DashboardServer } from "../../../../support/dashboard-server.js";
import { RecordedJob, recordedEvents } from "../../../../support/recorded-job.js";

const ID = "digits-1";

/** Someone who follows a job on a server; `until` resolves when what was heard satisfies `found`. */
async function follower(options: { readonly silenceMs?: number; readonly jobId?: string } = {}) {
  const server = await DashboardServer.start({ page: null });
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.add(new RecordedJob(ID, "digits"));
  const heard: NumberedEvent[] = [];
  const connections: Connection[] = [];
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  const stopped = new AbortController();
  onTestFinished(() => stopped.abort());
  const pauses: number[] = [];
  const api = new ApiClient({
    origin: server.origin,
    tokens: { get: () => null, set: () => undefined },
    unauthorised: () => undefined,
  });
  const ended = followEvents({
    api,
    jobId: options.jobId ?? ID,
    after: 0,
    received: (events) => {
      heard.push(...events);
      wake();
    },
    connection: (connection) => {
      connections.push(connection);
      wake();
    },
    signal: stopped.signal,
    pause: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
  });
  const until = (found: () => boolean): Promise<void> => {
    const { promise, resolve } = deferred<void>();
    const look = () => {
      if (!found()) return;
      watchers.delete(look);
      resolve();
    };
    watchers.add(look);
    look();
    return promise;
  };
  const lives = () => connections.filter(({ kind }) => kind === "live").length;
  return { server, heard, connections, pauses, stopped, ended, until, lives };
}

describe("following a job's events", () => {
  it("hears each event once and in order over any number of broken connections", async () => {
    const { server, heard, until, lives, pauses } = await follower();
    const events = recordedEvents();
    await until(() => lives() === 1 && server.openStreams === 1);
    for (const event of events.slice(0, 5)) server.push(ID, event);
    await until(() => heard.length === 5);
    server.dropStreams();
    for (const event of events.slice(5, 9)) server.hear(ID, event);
    await until(() => lives() === 2 && heard.length === 9);
    server.dropStreams();
    await until(() => lives() === 3);
    for (const event of events.slice(9)) server.push(ID, event);
    await until(() => heard.length === events.length);
    expect(heard.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    expect(heard.map(({ event }) => event)).toEqual(events);
    expect(server.resumedAfter).toEqual([0, 5, 9]);
    expect(pauses).toEqual([250, 250]);
  });

  it("ends where events were missed, and hands over none behind them", async () => {
    const { server, heard, ended, until, lives } = await follower();
    const events = recordedEvents();
    await until(() => lives() === 1 && server.openStreams === 1);
    server.push(ID, events[0]!);
    await until(() => heard.length === 1);
    for (const event of events.slice(1)) server.hear(ID, event);
    server.forget(ID);
    server.dropStreams();
    expect(await ended).toBe("missed");
    const frequent = events.findIndex(({ event }) => event === "step" || event === "epoch");
    expect(heard.map(({ event }) => event)).toEqual(events.slice(0, frequent));
  });

  it("waits longer from try to try while the server is away, up to eight seconds", async () => {
    const { server, connections, pauses, stopped, ended, until, lives } = await follower();
    await until(() => lives() === 1);
    await server[Symbol.asyncDispose]();
    await until(() => pauses.length >= 8);
    stopped.abort();
    await ended;
    expect(pauses.slice(0, 8)).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
    expect(connections.at(-2)).toMatchObject({ kind: "lost", problem: { code: "UNREACHABLE" } });
  });

  it("gives up a connection on which nothing is heard", async () => {
    const { connections, until } = await follower({ silenceMs: 30 });
    await until(() => connections.some(({ kind }) => kind === "lost"));
    const lost = connections.find((connection) => connection.kind === "lost");
    expect(lost?.problem).toMatchObject({ code: "CONNECTION_LOST", message: expect.stringContaining("0.03 s") });
  });

  it("ends at an unknown job, and at an event that it does not understand", async () => {
    const nobody = await follower({ jobId: "nobody" });
    await expect(nobody.ended).rejects.toMatchObject({ problem: { status: 404, code: "NOT_FOUND" } });

    const { server, ended, until, lives } = await follower();
    const outcome: Promise<ApiError["problem"]> = ended.then(() => toProblem("no end"), toProblem);
    await until(() => lives() === 1 && server.openStreams === 1);
    server.push(ID, Object.assign({ ...recordedEvents()[0]! }, { event: "riddle" }));
    expect(await outcome).toMatchObject({ code: "ANSWER_UNREADABLE", message: expect.stringContaining("riddle") });
  });

  it("ends quietly when it is stopped, and leaves no connection behind", async () => {
    const { server, stopped, ended, until, lives } = await follower();
    await until(() => lives() === 1 && server.openStreams === 1);
    stopped.abort();
    await expect(ended).resolves.toBe("stopped");
    await expect.poll(() => server.openStreams).toBe(0);
  });
});
