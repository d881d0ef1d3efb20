import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Dealer } from "zeromq";
import { type ControlHandlers, ControlServer } from "../../../../coordinator/group/control-server.js";
import type { Failure } from "../../../../shared/failure.js";
import { createLogger } from "../../../../shared/logger.js";
import { decodeFromCoordinator, MessageEncoder } from "../../../../shared/protocol/codec.js";
import type { FromCoordinator, WorkerBody } from "../../../../shared/protocol/control-message.js";
import { joinMessage } from "../../../support/control-client.js";
import { curveClientOf } from "../../../support/curve-client.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const TOKEN = "right";
const HEARTBEAT: WorkerBody = { kind: "heartbeat", progress: 1, phase: "idle", epoch: 0, step: 0 };

/** A server that lets everybody in unless told otherwise, and what its handlers have heard. */
async function openServer(joined: ControlHandlers["joined"] = () => null, endpoint = "tcp://127.0.0.1:0") {
  const server = await ControlServer.open(endpoint, TOKEN, createLogger("silent", {}));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const heard: string[] = [];
  const troubles: Failure[] = [];
  server.listen({
    joined: (message) => {
      const refusal = joined(message);
      if (refusal === null) server.send(message.workerId, { kind: "alive" });
      return refusal;
    },
    received: (workerId, message) => {
      heard.push(`${workerId} ${message.kind}`);
      server.send(workerId, { kind: "alive" });
    },
    troubled: (workerId, failure) => {
      troubles.push(failure);
      server.send(workerId, { kind: "stop", failure });
    },
  });
  return { server, heard, troubles };
}

/** A worker's end, with a routing id of its choice; one answer for each message. */
class Client {
  readonly #dealer: Dealer;
  readonly #encoder = new MessageEncoder();

  constructor(endpoint: string, routingId: string) {
    this.#dealer = new Dealer({ routingId, linger: 0, ...curveClientOf(TOKEN, endpoint) });
    onTestFinished(() => this.#dealer.close());
    this.#dealer.connect(endpoint);
  }

  ask(body: WorkerBody): Promise<FromCoordinator> {
    return this.askRaw(this.#encoder.encode(body));
  }

  async askRaw(...frames: Uint8Array[]): Promise<FromCoordinator> {
    await this.#dealer.send(frames.map((frame) => Buffer.from(frame)));
    const [bytes = Buffer.alloc(0)] = await this.#dealer.receive();
    return decodeFromCoordinator(bytes, "the coordinator");
  }
}

function joinAs(workerId: string, token = TOKEN): WorkerBody {
  return joinMessage(workerId, { token });
}

describe("ControlServer", () => {
  it("lets in a worker with the token, hears it under its own name, and answers it", async () => {
    const { server, heard } = await openServer();
    const alice = new Client(server.endpoint, "alice/1");
    const bob = new Client(server.endpoint, "bob/1");
    expect((await alice.ask(joinAs("alice"))).kind).toBe("alive");
    expect((await bob.ask(joinAs("bob"))).kind).toBe("alive");
    expect((await bob.ask(HEARTBEAT)).kind).toBe("alive");
    expect((await alice.ask(HEARTBEAT)).kind).toBe("alive");
    expect(heard).toEqual(["bob heartbeat", "alice heartbeat"]);
  });

  it("works on a unix socket", async () => {
    const endpoint = `ipc://${join(await temporaryDirectory(), "control")}`;
    const { server } = await openServer(undefined, endpoint);
    expect(server.endpoint).toBe(endpoint);
    expect((await new Client(endpoint, "a").ask(joinAs("a"))).kind).toBe("alive");
  });

  it.each(["", "wrong", `${TOKEN}!`])("refuses the token %j, and hears nothing from that link", async (token) => {
    const { server, heard, troubles } = await openServer();
    const client = new Client(server.endpoint, "mallory/1");
    expect(await client.ask(joinAs("mallory", token))).toMatchObject({
      kind: "refused",
      failure: {
        code: "WORKER_REFUSED",
        workerId: "mallory",
        what: "the token",
        remedy: expect.stringContaining("--token"),
      },
    });
    const after = await client.ask(HEARTBEAT);
    expect(after).toMatchObject({ kind: "refused", failure: { problem: "it sent heartbeat before join" } });
    expect([heard, troubles]).toEqual([[], []]);
  });

  it("refuses strangers' garbage without troubling anybody", async () => {
    const { server, heard, troubles } = await openServer();
    const client = new Client(server.endpoint, "noise");
    for (const frames of [[Buffer.from("GET /")], [Buffer.alloc(0)], [Buffer.alloc(0), Buffer.from("x")]]) {
      const answer = await client.askRaw(...frames);
      expect(answer).toMatchObject({ kind: "refused", failure: { code: "PROTOCOL_VIOLATION", from: "a stranger" } });
    }
    expect([heard, troubles]).toEqual([[], []]);
    expect((await new Client(server.endpoint, "a").ask(joinAs("a"))).kind).toBe("alive");
  });

  it("a worker that was let in and sends garbage is trouble, by its name", async () => {
    const { server, troubles } = await openServer();
    const client = new Client(server.endpoint, "alice/1");
    await client.ask(joinAs("alice"));
    expect((await client.askRaw(Buffer.from("GET /"))).kind).toBe("stop");
    expect((await client.ask(joinAs("alice"))).kind).toBe("stop");
    expect(troubles).toMatchObject([
      { code: "PROTOCOL_VIOLATION", from: "worker alice" },
      { code: "PROTOCOL_VIOLATION", from: "worker alice", problem: "it joined twice" },
    ]);
  });

  it("a worker of whose messages one is lost, or comes twice, is trouble, by its name", async () => {
    const { server, troubles, heard } = await openServer();
    for (const name of ["gap", "twice"]) {
      const encoder = new MessageEncoder();
      const client = new Client(server.endpoint, `${name}/1`);
      await client.askRaw(encoder.encode(joinAs(name)));
      // Life signs don't count: none of them is missed.
      encoder.encode(HEARTBEAT);
      expect((await client.askRaw(encoder.encode(HEARTBEAT))).kind).toBe("alive");
      const leave = encoder.encode({ kind: "leave", signal: "SIGTERM" });
      if (name === "twice") expect((await client.askRaw(leave)).kind).toBe("alive");
      expect(await client.askRaw(name === "twice" ? leave : encoder.encode(HEARTBEAT))).toMatchObject({ kind: "stop" });
    }
    expect(heard).toEqual(["gap heartbeat", "twice heartbeat", "twice leave"]);
    expect(troubles).toMatchObject([
      {
        code: "PROTOCOL_VIOLATION",
        from: "worker gap",
        problem: expect.stringMatching(/heartbeat.*1 message was lost/),
      },
      { code: "PROTOCOL_VIOLATION", from: "worker twice", problem: expect.stringMatching(/leave.*it came before/) },
    ]);
  });

  it("refuses a name that is taken, by whatever link, and goes on hearing its owner", async () => {
    const { server, heard, troubles } = await openServer();
    const alice = new Client(server.endpoint, "alice/1");
    await alice.ask(joinAs("alice"));
    for (const routingId of ["alice", "alice/2"]) {
      const answer = await new Client(server.endpoint, routingId).ask(joinAs("alice"));
      expect(answer).toMatchObject({ kind: "refused", failure: { what: "its name", got: "taken", workerId: "alice" } });
    }
    expect((await alice.ask(HEARTBEAT)).kind).toBe("alive");
    expect([heard, troubles]).toEqual([["alice heartbeat"], []]);
  });

  it("passes on the handler's refusal; the name is free again", async () => {
    const failure = { code: "INTERNAL", problem: "not today" } as const;
    let refusing = true;
    const { server } = await openServer(() => (refusing ? failure : null));
    expect(await new Client(server.endpoint, "a/1").ask(joinAs("a"))).toMatchObject({ kind: "refused", failure });
    refusing = false;
    expect((await new Client(server.endpoint, "a/2").ask(joinAs("a"))).kind).toBe("alive");
  });

  it("an endpoint in use is an error with its name", async () => {
    const { server } = await openServer();
    const failure = await failureWithCode("ENDPOINT_UNAVAILABLE", () => openServer(undefined, server.endpoint));
    expect(failure).toMatchObject({ endpoint: server.endpoint, problem: "another process already listens there" });
    expect(failure.remedy).toContain("another port");
  });

  it("sending to somebody who has not joined is a programming error", async () => {
    const { server } = await openServer();
    expect(() => server.send("nobody", { kind: "alive" })).toThrow("worker nobody has not joined");
  });
});
