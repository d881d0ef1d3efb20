import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { RingstrasseError } from "../../../../shared/failure.js";
import { DealerSocket, PullSocket, PushSocket, RouterSocket } from "../../../../shared/transport/zeromq-sockets.js";
import { HAS_IPV6 } from "../../../support/has-ipv6.js";

const failNow = (error: RingstrasseError): never => {
  throw error;
};
const bytes = (text: string): Buffer => Buffer.from(text);
const texts = (frames: readonly Uint8Array[]): string[] => frames.map((frame) => Buffer.from(frame).toString());

describe("router and dealer", () => {
  it("carry messages both ways, by the dealer's routing id", async () => {
    await using router = await RouterSocket.bind("tcp://127.0.0.1:0", failNow);
    expect(router.endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d+$/);
    await using dealer = new DealerSocket("worker-7", failNow);
    dealer.connect(router.endpoint);
    for (let index = 0; index < 100; index++) dealer.send([bytes("hello"), bytes(String(index))]);
    let expected = 0;
    for await (const { identity, frames } of router) {
      expect(identity.toString()).toBe("worker-7");
      expect(texts(frames)).toEqual(["hello", String(expected++)]);
      router.send(identity, [bytes(`echo ${expected}`)]);
      if (expected === 100) break;
    }
    let echoed = 0;
    for await (const frames of dealer) {
      expect(texts(frames)).toEqual([`echo ${++echoed}`]);
      if (echoed === 100) break;
    }
  });

  it.skipIf(!HAS_IPV6)("carry them over IPv6 (needs it on the loopback interface)", async () => {
    await using router = await RouterSocket.bind("tcp://[::1]:0", failNow);
    expect(router.endpoint).toMatch(/^tcp:\/\/\[::1\]:[1-9]\d+$/);
    await using dealer = new DealerSocket("worker-7", failNow);
    dealer.connect(router.endpoint);
    dealer.send([bytes("hello")]);
    for await (const { frames } of router) {
      expect(texts(frames)).toEqual(["hello"]);
      break;
    }
  });

  it("tell of a message to somebody who isn't there, and send the others", async () => {
    const failures: [string, RingstrasseError][] = [];
    await using router = await RouterSocket.bind("tcp://127.0.0.1:0", (error, identity) => {
      failures.push([identity.toString(), error]);
    });
    await using dealer = new DealerSocket("present", failNow);
    dealer.connect(router.endpoint);
    dealer.send([bytes("hello")]);
    for await (const { identity } of router) {
      router.send(bytes("absent"), [bytes("lost")]);
      router.send(identity, [bytes("found")]);
      break;
    }
    for await (const frames of dealer) {
      expect(texts(frames)).toEqual(["found"]);
      break;
    }
    expect(failures).toHaveLength(1);
    expect(failures[0]?.[0]).toBe("absent");
    expect(failures[0]?.[1].failure).toEqual({
      code: "ENDPOINT_UNAVAILABLE",
      endpoint: `peer absent of ${router.endpoint}`,
      problem: expect.stringContaining("nobody is connected"),
      remedy: expect.stringContaining("whether that process still runs"),
    });
  });

  it.each(["nobody has come yet", "the last peer has gone"])("a router can tell, and close, when %s", async (when) => {
    const failures: RingstrasseError[] = [];
    const router = await RouterSocket.bind("tcp://127.0.0.1:0", (error) => failures.push(error));
    if (when === "the last peer has gone") {
      const dealer = new DealerSocket("present", failNow);
      dealer.connect(router.endpoint);
      dealer.send([bytes("hello")]);
      expect((await router[Symbol.asyncIterator]().next()).done).toBe(false);
      await dealer.close();
    }
    // Until it has noticed: what is sent before that is lost without a word.
    while (failures.length === 0) {
      router.send(bytes("present"), [bytes("stop")]);
      await nextTurn();
    }
    expect(failures[0]?.failure).toMatchObject({ code: "ENDPOINT_UNAVAILABLE" });
    router.send(bytes("present"), [bytes("stop")]);
    await router.close(1000);
  });

  it("end their streams when closed, also in the middle of waiting", async () => {
    const router = await RouterSocket.bind("tcp://127.0.0.1:0", failNow);
    const dealer = new DealerSocket("worker-1", failNow);
    dealer.connect(router.endpoint);
    const drain = async (stream: AsyncIterable<unknown>): Promise<number> => {
      let count = 0;
      for await (const _ of stream) count++;
      return count;
    };
    const ends = [drain(router), drain(dealer)];
    await router.close();
    await dealer.close();
    expect(await Promise.all(ends)).toEqual([0, 0]);
    expect(await drain(router)).toBe(0);
    await router.close();
    expect(() => dealer.send([bytes("late")])).toThrow("send on a closed socket");
  });

  it("still deliver the last words of one that closes with a linger", async () => {
    await using router = await RouterSocket.bind("tcp://127.0.0.1:0", failNow);
    const dealer = new DealerSocket("worker-2", failNow);
    dealer.connect(router.endpoint);
    // Not even connected yet: without a linger this would be lost.
    dealer.send([bytes("last words")]);
    await dealer.close(10_000);
    for await (const { frames } of router) {
      expect(texts(frames)).toEqual(["last words"]);
      break;
    }
  });

  it("let a dealer that comes back under its routing id take over", async () => {
    await using router = await RouterSocket.bind("tcp://127.0.0.1:0", failNow);
    const stream = router[Symbol.asyncIterator]();
    await using first = new DealerSocket("worker-3", failNow);
    first.connect(router.endpoint);
    first.send([bytes("first")]);
    expect(texts((await stream.next()).value?.frames ?? [])).toEqual(["first"]);
    await using second = new DealerSocket("worker-3", failNow);
    second.connect(router.endpoint);
    second.send([bytes("second")]);
    const message = (await stream.next()).value;
    expect(texts(message?.frames ?? [])).toEqual(["second"]);
    router.send(bytes("worker-3"), [bytes("answer")]);
    for await (const frames of second) {
      expect(texts(frames)).toEqual(["answer"]);
      break;
    }
  });
});

describe("push and pull", () => {
  it("return null to a reader once closed", async () => {
    const pull = await PullSocket.bind("tcp://127.0.0.1:0");
    const waiting = pull.receive();
    pull.close();
    expect(await waiting).toBeNull();
    expect(await pull.receive()).toBeNull();
    pull.close();
  });
});

describe("endpoints that can't be used", () => {
  const folder = join(tmpdir(), "no-such-folder-for-sockets");
  it.each([
    ["tcp://192.0.2.1:0", "this host has no such address", "0.0.0.0 for all"],
    [`ipc://${folder}/a`, "the socket's folder does not exist", "Create it"],
    [`ipc:///tmp/${"x".repeat(120)}`, "too long for the operating system", "shorter path"],
    ["nonsense", "it can't be listened on", "tcp://127.0.0.1:0"],
  ])("are refused with a remedy: %s", async (endpoint, problem, remedy) => {
    await expect(PullSocket.bind(endpoint)).rejects.toMatchObject({
      failure: {
        code: "ENDPOINT_UNAVAILABLE",
        endpoint,
        problem: expect.stringContaining(problem),
        remedy: expect.stringContaining(remedy),
      },
    });
  });

  it("are refused with a remedy: a port in use", async () => {
    await using router = await RouterSocket.bind("tcp://127.0.0.1:0", failNow);
    await expect(RouterSocket.bind(router.endpoint, failNow)).rejects.toMatchObject({
      failure: {
        code: "ENDPOINT_UNAVAILABLE",
        endpoint: router.endpoint,
        problem: "another process already listens there",
        remedy: "Stop that process, or choose another port; port 0 takes any free one",
      },
    });
  });

  it("are refused with a remedy: what can't be connected to", async () => {
    await using push = new PushSocket(failNow);
    expect(() => push.connect("tcp://")).toThrowError(
      expect.objectContaining({
        failure: {
          code: "ENDPOINT_UNAVAILABLE",
          endpoint: "tcp://",
          problem: expect.stringContaining("can't be connected to"),
          remedy: expect.stringContaining("tcp://HOST:PORT"),
        },
      }),
    );
  });
});
