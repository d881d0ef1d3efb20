import { once } from "node:events";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { rendezvousKey } from "../../../../shared/launch/rendezvous-proof.js";
import { askRankZero } from "../../../../worker/rank/ask-rank-zero.js";
import { SocketMeeting } from "../../../../worker/rank/socket-meeting.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { hungUp } from "../../../support/hung-up.js";
import { MEET, openRendezvous as open, rankZeroSought as sought } from "../../../support/rendezvous-ends.js";

/** Somebody else who listens, and says nothing, or this. */
async function stranger(says: string | null): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    if (says !== null) socket.write(says);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** @returns what was answered before that, if anything was */
async function hungUpOn(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const pieces: Buffer[] = [];
  socket.on("data", (piece) => pieces.push(piece));
  socket.write(text);
  await hungUp(socket);
  return Buffer.concat(pieces).toString();
}

describe("RendezvousServer and askRankZero", () => {
  it("tell ranks that come before and after rank 0 knows where to meet", async () => {
    const server = await open();
    const early = askRankZero(sought([server.port]));
    await server.say(MEET);
    expect(await early).toEqual({ rendezvous: MEET, ownAddress: "127.0.0.1" });
    expect((await askRankZero(sought([server.port], { rank: 2 }))).rendezvous).toEqual(MEET);
  });

  it("find rank 0 beside strangers who say nothing, or nonsense", async () => {
    const server = await open();
    await server.say(MEET);
    const ports = [await stranger(null), await stranger("220 mail\n"), server.port];
    expect((await askRankZero(sought(ports))).rendezvous).toEqual(MEET);
  });

  it("keep out who lacks the run's key, though the secret be the same", async () => {
    const server = await open();
    await server.say(MEET);
    for (const key of [rendezvousKey("the ranks' secret", "slurm 18.0 0"), rendezvousKey("a guess", "slurm 17.0 0")]) {
      const failure = await failureWithCode("LAUNCH_FAILED", () => askRankZero(sought([server.port], { key })));
      expect(failure).toMatchObject({ host: "node2", problem: expect.stringContaining("lacks the run's key") });
      expect(failure.problem).toContain("rank 1 can't meet rank 0");
      expect(failure.remedy).toContain("RINGSTRASSE_TOKEN");
    }
  });

  it("tell nothing to a rank of a world of another size", async () => {
    const server = await open();
    await server.say(MEET);
    const asked = () => askRankZero(sought([server.port], { worldSize: 4 }));
    expect((await failureWithCode("LAUNCH_FAILED", asked)).problem).toContain("went away before it said where to meet");
  });

  it("hang up on who says too much, or what no rank of this version says", async () => {
    const server = await open();
    const ask = { kind: "ask", version: 2, nonce: "0".repeat(32), publicKey: "0".repeat(64) };
    const texts = [
      "x".repeat(64 * 1024),
      "GET / HTTP/1.1\n",
      `${JSON.stringify({ kind: "ask", nonce: ask.nonce })}\n`,
      `${JSON.stringify({ ...ask, version: 3 })}\n`,
      `${JSON.stringify({ ...ask, nonce: "0" })}\n`,
      `${JSON.stringify({ ...ask, publicKey: "0".repeat(62) })}\n`,
      `${JSON.stringify(ask)}\n${JSON.stringify({ kind: "show", rank: 1, worldSize: 3, proof: "0".repeat(64) })}\n`,
    ];
    await Promise.all(texts.map((text) => hungUpOn(server.port, text)));
    await server.say(MEET);
    expect((await askRankZero(sought([server.port]))).rendezvous).toEqual(MEET);
  });

  it("hang up on any other line", async () => {
    const { port } = await open();
    const line = fc.oneof(fc.json(), fc.string({ maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(line, async (text) => void (await hungUpOn(port, `${text}\n`))),
      { numRuns: 50 },
    );
  });

  it("hang up on the oldest of too many who say nothing", async () => {
    const server = await open(3);
    await server.say(MEET);
    const closed: number[] = [];
    const silent = Array.from({ length: 67 + 5 }, (_, index) =>
      connect(server.port, "127.0.0.1").once("close", () => closed.push(index)),
    );
    onTestFinished(() => void silent.map((socket) => socket.destroy()));
    await Promise.all(silent.slice(0, 5).map((socket) => hungUp(socket.resume())));
    expect(closed.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect((await askRankZero(sought([server.port]))).rendezvous).toEqual(MEET);
  });

  it.each([
    ["no JSON", "220 mail\n", "what it says is no JSON"],
    [
      "something else",
      `${JSON.stringify({ kind: "hello" })}\n`,
      "it says what no ringstrasse of this version says here",
    ],
    ["far too much", "y".repeat(64 * 1024), "it says too much"],
  ])("name what is wrong with one who answers with %s", async (_name, text, problem) => {
    const port = await stranger(text);
    const failure = await failureWithCode("LAUNCH_FAILED", () => askRankZero(sought([port])));
    expect(failure.problem).toContain(`no answer within 0.05 s (${problem})`);
    expect(failure.remedy).toContain("version of ringstrasse");
  });

  it("name the port that nobody answers at, and a name that means this host", async () => {
    const server = await open();
    const { port } = server;
    await server[Symbol.asyncDispose]();
    const silent = await failureWithCode("LAUNCH_FAILED", () => askRankZero(sought([port])));
    expect(silent.problem).toMatch(new RegExp(`ports ${port} to ${port}: no answer within 0.05 s \\(.*ECONNREFUSED`));
    const own = await failureWithCode("LAUNCH_FAILED", () => askRankZero(sought([port], { host: "localhost" })));
    expect(own.problem).toContain("localhost means 127.0.0.1 here, which is this host itself");
  });

  it("end with the signal's reason", async () => {
    const abort = new AbortController();
    const server = await open();
    const waiting = askRankZero(sought([server.port], { signal: abort.signal }));
    abort.abort(new Error("told to end"));
    await expect(waiting).rejects.toThrow("told to end");
  });

  it("take the next port where one is taken, and name them all when none is left", async () => {
    const { port } = await open();
    const next = await open(3, [port, 0]);
    expect(next.port).not.toBe(port);
    const failure = await failureWithCode("ENDPOINT_UNAVAILABLE", () => open(3, [port]));
    expect(failure).toMatchObject({ endpoint: `127.0.0.1:${port}`, remedy: expect.stringContaining("MASTER_PORT") });
  });
});

describe("SocketMeeting", () => {
  it("begins no world without a secret", async () => {
    const place = { launcher: "slurm", rank: 1, worldSize: 2, localRank: 0, localSize: 1, isOneHost: false } as const;
    const at = { host: "node1", isHere: false, peer: null, ports: [20_000], scope: "slurm 1.0 0" };
    const options = { place, at, secret: null, interfaceName: null, reachMs: 1 };
    const failure = await failureWithCode("USAGE", () => SocketMeeting.open(options));
    expect(failure).toMatchObject({ option: "--token", problem: expect.stringContaining("srun has started 2 ranks") });
    expect(failure.remedy).toContain("export RINGSTRASSE_TOKEN=");
  });
});
