import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { deferred } from "../../../../shared/deferred.js";
import type { RingstrasseError } from "../../../../shared/failure.js";
import { MessageEncoder } from "../../../../shared/protocol/codec.js";
import type { CoordinatorBody } from "../../../../shared/protocol/control-message.js";
import { linkKeysOf } from "../../../../shared/transport/link-keys.js";
import { RouterSocket } from "../../../../shared/transport/zeromq-sockets.js";
import { ControlConnection } from "../../../../worker/communication/control-connection.js";
import { ProgressBoard } from "../../../../worker/communication/progress-board.js";
import { SnapshotBoard } from "../../../../worker/communication/snapshot-board.js";
import type { ThreadStart } from "../../../../worker/communication/thread-messages.js";

const STOP: CoordinatorBody = { kind: "stop", failure: null };
const ALIVE: CoordinatorBody = { kind: "alive" };

function startOf(coordinatorEndpoint: string, coordinatorKey: string | null): ThreadStart {
  return {
    coordinatorEndpoint,
    coordinatorKey,
    workerId: "w",
    board: new ProgressBoard().memory,
    snapshots: new SnapshotBoard().memory,
    parentPipe: null,
    mpi: null,
    healthPort: null,
  };
}

/** A connection to a coordinator that the test plays. */
async function connected() {
  const router = await RouterSocket.bind("tcp://127.0.0.1:0", () => undefined);
  onTestFinished(() => router[Symbol.asyncDispose]());
  const board = new ProgressBoard();
  const start = { ...startOf(router.endpoint, null), board: board.memory };
  const heard: string[] = [];
  const received = deferred<void>();
  const broken = deferred<RingstrasseError>();
  const connection = new ControlConnection(start, board, {
    received: ({ kind }) => {
      heard.push(kind);
      received.resolve();
    },
    broken: (reason) => broken.resolve(reason),
  });
  onTestFinished(() => connection.close());
  connection.send({ kind: "leave", signal: "SIGTERM" });
  const messages = router[Symbol.asyncIterator]();
  const { value } = await messages.next();
  const identity = value?.identity ?? Buffer.alloc(0);
  const say = (bytes: Uint8Array) => router.send(identity, [bytes]);
  return { say, heard, received: received.promise, broken: broken.promise, endpoint: router.endpoint };
}

/** Something that takes connections and ends them, as proxies do for a server that is not there. */
async function openProxy() {
  const proxy = createServer((socket) => {
    socket.destroy();
    taken++;
    if (taken === 30) enough.resolve();
  });
  let taken = 0;
  const enough = deferred<void>();
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  return { endpoint: `tcp://127.0.0.1:${port}`, enough: enough.promise, close: () => once(proxy.close(), "close") };
}

describe("ControlConnection", () => {
  it("of a worker that was let in before waits behind a proxy until the coordinator is back", async () => {
    const keys = linkKeysOf("the token", "control");
    const proxy = await openProxy();
    const start = startOf(proxy.endpoint, keys.publicKey);
    const failures: RingstrasseError[] = [];
    const handlers = { received: () => undefined, broken: (reason: RingstrasseError) => failures.push(reason) };
    const connection = new ControlConnection(start, new ProgressBoard(), handlers, true);
    onTestFinished(() => connection.close());
    // More than the time after which others blame the token.
    await proxy.enough;
    await proxy.close();
    const router = await RouterSocket.bind(proxy.endpoint, () => undefined, keys);
    onTestFinished(() => router[Symbol.asyncDispose]());
    connection.send({ kind: "leave", signal: "SIGTERM" });
    for await (const { identity } of router) {
      expect(identity.toString()).toMatch(/^w\//);
      break;
    }
    expect(failures).toEqual([]);
  });

  it("hears messages in their order; life signs may be lost", async () => {
    const { say, heard, received } = await connected();
    const encoder = new MessageEncoder();
    encoder.encode(ALIVE);
    say(encoder.encode(ALIVE));
    say(encoder.encode(STOP));
    await received;
    expect(heard).toEqual(["stop"]);
  });

  it("breaks at a message that shows that one was lost, naming the coordinator", async () => {
    const { say, heard, broken, endpoint } = await connected();
    const encoder = new MessageEncoder();
    encoder.encode(STOP);
    say(encoder.encode(ALIVE));
    expect((await broken).failure).toMatchObject({
      code: "PROTOCOL_VIOLATION",
      from: `coordinator ${endpoint}`,
      problem: expect.stringMatching(/its alive bears the number 1, expected 0: 1 message was lost/),
    });
    expect(heard).toEqual([]);
  });

  it("breaks at a message that comes twice", async () => {
    const { say, broken } = await connected();
    const stop = new MessageEncoder().encode(STOP);
    say(stop);
    say(stop);
    expect((await broken).failure).toMatchObject({ problem: expect.stringContaining("it came before") });
  });

  it("hears a refusal whatever its number: who refuses may not know the link", async () => {
    const { say, heard, received } = await connected();
    const encoder = new MessageEncoder();
    encoder.encode(STOP);
    say(encoder.encode({ kind: "refused", failure: { code: "INTERNAL", problem: "not today" } }));
    await received;
    expect(heard).toEqual(["refused"]);
  });

  it("gives up when nothing but handshakes fail, and names the token", async () => {
    const router = await RouterSocket.bind(
      "tcp://127.0.0.1:0",
      () => undefined,
      linkKeysOf("the right token", "control"),
    );
    onTestFinished(() => router[Symbol.asyncDispose]());
    const broken = deferred<RingstrasseError>();
    const start = startOf(router.endpoint, linkKeysOf("another token", "control").publicKey);
    const handlers = { received: () => undefined, broken: (reason: RingstrasseError) => broken.resolve(reason) };
    const connection = new ControlConnection(start, new ProgressBoard(), handlers);
    onTestFinished(() => connection.close());
    expect((await broken.promise).failure).toMatchObject({
      code: "WORKER_REFUSED",
      workerId: "w",
      what: "the token",
      expected: `that of the coordinator at ${router.endpoint}`,
      remedy: expect.stringContaining("RINGSTRASSE_TOKEN"),
    });
  });
});
