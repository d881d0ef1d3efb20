import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { EphemeralKey } from "../../../../shared/launch/ephemeral-key.js";
import { askRankZero } from "../../../../worker/rank/ask-rank-zero.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { hungUp } from "../../../support/hung-up.js";
import { type Meddling, RecordingRelay } from "../../../support/recording-relay.js";
import { KEY, MEET, openRendezvous, rankZeroSought, SECRET } from "../../../support/rendezvous-ends.js";
import { tracesOf } from "../../../support/traces-of.js";

/** Rank 0 that has said where to meet, and somebody on the way to it. */
async function between(meddling?: Meddling) {
  const server = await openRendezvous();
  await server.say(MEET);
  const relay = await RecordingRelay.before(`tcp://127.0.0.1:${server.port}`, meddling);
  onTestFinished(() => relay[Symbol.asyncDispose]());
  return { server, relay };
}

/** Puts another value in the place of one, in messages of one kind. */
function swap(kind: string, name: string, change: (value: string) => string): Meddling {
  return (piece) => {
    const message: Record<string, string> = JSON.parse(piece.toString());
    if (message["kind"] !== kind) return piece;
    return Buffer.from(`${JSON.stringify({ ...message, [name]: change(message[name] ?? "") })}\n`);
  };
}

describe("a meeting over a network that somebody reads", () => {
  it("lets nobody see a secret, nor where the ranks meet", async () => {
    const { relay } = await between();
    expect((await askRankZero(rankZeroSought([relay.port]))).rendezvous).toEqual(MEET);
    const recording = relay.recording().toString("latin1");
    expect(recording.match(/"kind":"(\w+)"/g)).toEqual(
      ["ask", "answer", "show", "say"].map((kind) => `"kind":"${kind}"`),
    );
    const secrets = [SECRET, MEET.token, MEET.coordinatorEndpoint, KEY.toString("latin1")];
    for (const trace of secrets.flatMap(tracesOf)) expect(recording).not.toContain(trace);
  });

  it("looks different every time", async () => {
    const { relay } = await between();
    const once = async () => {
      const before = relay.recording().length;
      await askRankZero(rankZeroSought([relay.port]));
      return relay.recording().subarray(before).toString();
    };
    const [first, second] = [await once(), await once()];
    const values = (text: string) =>
      [...text.matchAll(/"(?:nonce|publicKey|proof|sealed)":"([^"]+)"/g)].map(([, value]) => value);
    expect(values(first)).toHaveLength(7);
    expect(new Set([...values(first), ...values(second)]).size).toBe(14);
  });

  it("gives nothing to who says again what a rank has said", async () => {
    const { server, relay } = await between();
    await askRankZero(rankZeroSought([relay.port]));
    const again = connect(server.port, "127.0.0.1");
    const heard: Buffer[] = [];
    again.on("data", (piece) => heard.push(piece));
    again.write(relay.recording("client"));
    await hungUp(again);
    expect(
      Buffer.concat(heard)
        .toString()
        .match(/"kind":"\w+"/g),
    ).toEqual(['"kind":"answer"']);
  });
});

describe("a meeting with somebody in between", () => {
  const another = () => new EphemeralKey().publicKey;

  it.each([
    ["rank 0's public key", swap("answer", "publicKey", another)],
    ["the rank's public key", swap("ask", "publicKey", another)],
    [
      "rank 0's number",
      swap("answer", "nonce", (nonce) => nonce.replace(/^./, (first) => (first === "0" ? "1" : "0"))),
    ],
    ["the rank's number", swap("ask", "nonce", (nonce) => nonce.replace(/^./, (first) => (first === "0" ? "1" : "0")))],
  ])("ends when %s is another's: whoever put it there lacks the run's key", async (_name, meddling) => {
    const { relay } = await between(meddling);
    const failure = await failureWithCode("LAUNCH_FAILED", () => askRankZero(rankZeroSought([relay.port])));
    expect(failure.problem).toContain("lacks the run's key");
    expect(relay.recording("server").toString()).not.toContain('"say"');
  });

  it("ends without a word for a rank that is made another one", async () => {
    const meddling: Meddling = (piece) => Buffer.from(piece.toString().replace('"rank":1', '"rank":2'));
    const { relay } = await between(meddling);
    const failure = await failureWithCode("LAUNCH_FAILED", () => askRankZero(rankZeroSought([relay.port])));
    expect(failure.problem).toContain("it went away before it said where to meet (it hung up)");
  });

  it.each([
    ["changed", (sealed: string) => sealed.replace(/^./, (first) => (first === "A" ? "B" : "A"))],
    ["cut off", (sealed: string) => sealed.slice(0, 12)],
    ["empty", () => ""],
  ])("ends when what rank 0 says is %s", async (_name, change) => {
    const { relay } = await between(swap("say", "sealed", change));
    const failure = await failureWithCode("LAUNCH_FAILED", () => askRankZero(rankZeroSought([relay.port])));
    expect(failure.problem).toContain("it went away before it said where to meet (what it says is not under its seal)");
  });
});
