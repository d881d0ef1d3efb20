import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LaunchedWorker } from "../../../../coordinator/launcher/launcher.js";
import { type LifelinesOptions, RankLifelines } from "../../../../coordinator/launcher/rank-lifelines.js";
import type { Rank, WorkerId } from "../../../../shared/ids.js";
import { Lifeline } from "../../../../worker/rank/lifeline.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { hungUp } from "../../../support/hung-up.js";
import { type Meddling, RecordingRelay } from "../../../support/recording-relay.js";
import { tracesOf } from "../../../support/traces-of.js";

const TOKEN = "the token of this run alone";

/** The lifelines of a world of two, at an address of the network. */
async function open(more: Partial<LifelinesOptions> = {}) {
  const lifelines = await RankLifelines.open({ host: "127.0.0.1" }, { token: TOKEN, worldSize: 2, ...more });
  onTestFinished(() => lifelines[Symbol.asyncDispose]());
  const ranks: LaunchedWorker[] = [];
  lifelines.onRank((rank) => ranks.push(rank));
  const { place } = lifelines;
  if (!("port" in place)) throw new Error("a port expected");
  return { lifelines, ranks, port: place.port };
}

async function enter(port: number, rank: number): Promise<Lifeline> {
  const owner = { rank: rank as Rank, workerId: `w${rank}` as WorkerId, host: "node2", pid: 100 + rank };
  const lifeline = await Lifeline.open({ lifeline: { host: "127.0.0.1", port }, token: TOKEN }, owner);
  onTestFinished(() => lifeline[Symbol.dispose]());
  return lifeline;
}

async function between(port: number, meddling?: Meddling): Promise<RecordingRelay> {
  const relay = await RecordingRelay.before(`tcp://127.0.0.1:${port}`, meddling);
  onTestFinished(() => relay[Symbol.asyncDispose]());
  return relay;
}

/** Somebody who connects, and reads what comes. */
function stranger(port: number): Socket {
  const socket = connect(port, "127.0.0.1").resume();
  onTestFinished(() => void socket.destroy());
  return socket;
}

function isAbout(kind: string, piece: Buffer): boolean {
  return piece.includes(`\\"kind\\":\\"${kind}\\"`);
}

/** Puts one text in the place of another, wherever it comes by. */
function replace(text: string | RegExp, by: string): Meddling {
  return (piece) => Buffer.from(piece.toString().replace(text, by));
}

describe("lifelines over a network that somebody reads", () => {
  it("never send the token", async () => {
    const { lifelines, ranks, port } = await open();
    const relay = await between(port);
    const lifeline = await enter(relay.port, 1);
    lifeline.signalled("SIGUSR1");
    const exitCode = lifeline.done(null);
    await ranks[0]?.ended;
    const said = lifelines.farewell(0);
    expect(await exitCode).toBe(0);
    lifeline[Symbol.dispose]();
    await said;
    const recording = relay.recording().toString("latin1");
    const kinds = ["challenge", "here", "welcome", "signal", "done", "exit"].map((kind) => `"kind":"${kind}"`);
    expect(recording.replaceAll("\\", "").match(/"kind":"(\w+)"/g)).toEqual(kinds);
    for (const trace of tracesOf(TOKEN)) expect(recording).not.toContain(trace);
  });

  it("let nobody in who says again what a rank has said", async () => {
    const { ranks, port } = await open();
    const relay = await between(port);
    const lifeline = await enter(relay.port, 1);
    const here = relay.recording("client");
    lifeline[Symbol.dispose]();
    const again = stranger(port);
    again.write(here);
    await hungUp(again);
    expect(ranks).toHaveLength(1);
  });

  it.each([
    ["another rank", replace('"rank":1', '"rank":0')],
    ["of another process", replace('"pid":101', '"pid":102')],
    ["of another host", replace("node2", "node3")],
    ["an answer to another challenge", replace(/("kind":"challenge".*"nonce":")./, "$1x")],
    ["an answer to a challenge of another connection", replace(/("kind":"challenge".*"nonce":").{8}/, "$100000000")],
    ["of another number", replace(/("kind":"here".*"nonce":").{8}/, "$100000000")],
  ])("refuse a rank that somebody makes %s", async (_name, meddling) => {
    const { ranks, port } = await open();
    const relay = await between(port, meddling);
    await failureWithCode("COORDINATOR_LOST", () => enter(relay.port, 1));
    expect(ranks).toEqual([]);
    await enter(port, 1);
  });

  it("are refused by a rank whom somebody else welcomes", async () => {
    const { port } = await open();
    const relay = await between(port, replace(/("kind":"welcome","proof":").{8}/, "$100000000"));
    const failure = await failureWithCode("COORDINATOR_LOST", () => enter(relay.port, 1));
    expect(failure.problem).toBe("the lifeline broke (it lacks the run's token)");
  });

  it.each([
    ["changes", replace("SIGUSR1", "SIGUSR2")],
    ["says again", (piece) => (isAbout("signal", piece) ? Buffer.concat([piece, piece]) : piece)],
    ["puts in the place of another", (piece) => (isAbout("signal", piece) ? Buffer.from("{}\n") : piece)],
  ] satisfies [string, Meddling][])("end with a rank whose words somebody %s", async (_name, meddling) => {
    const { lifelines, ranks, port } = await open();
    const signals: string[] = [];
    lifelines.onSignal((signal) => signals.push(signal));
    const relay = await between(port, meddling);
    const lifeline = await enter(relay.port, 1);
    lifeline.signalled("SIGUSR1");
    expect(await ranks[0]?.ended).toEqual({ exitCode: null, signal: null, lastWords: null });
    expect(signals.filter((signal) => signal !== "SIGUSR1")).toEqual([]);
    expect(signals.length).toBeLessThanOrEqual(1);
  });

  it.each([
    ["another exit code", replace('\\"exitCode\\":5', '\\"exitCode\\":0')],
    ["a message that isn't signed", replace(/.*exitCode.*/, '{"kind":"exit","exitCode":0}')],
  ])("end for a rank that somebody gives %s", async (_name, meddling) => {
    const { lifelines, port } = await open();
    const relay = await between(port, meddling);
    const lifeline = await enter(relay.port, 1);
    void lifelines.farewell(5);
    const failure = await failureWithCode("COORDINATOR_LOST", () => lifeline.done(null));
    expect(failure.problem).toMatch(/not its own|no ringstrasse of this version/);
  });

  it("name what a rank can't understand", async () => {
    const { port } = await open();
    const relay = await between(port, replace('"version":2', '"version":3'));
    const failure = await failureWithCode("COORDINATOR_LOST", () => enter(relay.port, 1));
    expect(failure.problem).toContain("it says what no ringstrasse of this version says here");
  });
});

describe("lifelines among strangers", () => {
  it("hang up on a line without end", async () => {
    const { port } = await open();
    const socket = stranger(port);
    const closed = hungUp(socket);
    // Far more than is kept, and no newline: it ends because the other side hangs up.
    const piece = Buffer.alloc(64 * 1024, "x");
    const pour = (): void => void socket.write(piece, () => socket.writable && pour());
    pour();
    await closed;
    await enter(port, 0);
  });

  it("hang up on any line that is no rank's", async () => {
    const { port } = await open();
    const line = fc.oneof(fc.json(), fc.string({ maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(line, async (text) => {
        const socket = stranger(port);
        socket.write(`${text}\n`);
        await hungUp(socket);
      }),
      { numRuns: 50 },
    );
    await enter(port, 0);
  });

  it("hang up on who says nothing, when its time is over", async () => {
    const { port } = await open({ strangerMs: 1 });
    await hungUp(stranger(port));
  });

  it("hang up on the oldest of too many who say nothing, and let ranks in beside the others", async () => {
    const { ranks, port } = await open();
    const first = await enter(port, 0);
    const closed: number[] = [];
    const silent = Array.from({ length: 66 + 5 }, (_, index) => stranger(port).once("close", () => closed.push(index)));
    await Promise.all(silent.slice(0, 5).map((socket) => hungUp(socket)));
    expect(closed.toSorted()).toEqual([0, 1, 2, 3, 4]);
    await enter(port, 1);
    expect(first.signal.aborted).toBe(false);
    expect(ranks.map(({ index }) => index)).toEqual([0, 1]);
  });

  it("cut what a rank says of its end, and let it end", async () => {
    const { lifelines, ranks, port } = await open();
    const lifeline = await enter(port, 0);
    const exitCode = lifeline.done({ code: "INTERNAL", problem: "\u0001".repeat(100_000) });
    const { lastWords } = (await ranks[0]?.ended) ?? {};
    expect(lastWords).toHaveLength(2000);
    void lifelines.farewell(1);
    expect(await exitCode).toBe(1);
  });
});
