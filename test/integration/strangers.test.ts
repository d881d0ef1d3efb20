import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Dealer } from "zeromq";
import { WorkerIdSchema } from "../../shared/ids.js";
import { decodeFromCoordinator, MessageEncoder } from "../../shared/protocol/codec.js";
import type { WorkerBody } from "../../shared/protocol/control-message.js";
import { curveClientOf } from "../support/curve-client.js";
import { expectNothingLeft, type Workplace, workplace } from "../support/refused-run.js";
import { eventsOf, ROOT, type RunningCommand, runCommand, runTrain, startCommand } from "../support/run-command.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const TOKEN = "the-right-token";
const JOB = [IRIS, "--replicas", "2"];
/** Short enough to be waited for; a worker stands still while it is disturbed, and is not missed so soon. */
const SHORT = ["--epochs", "500", "--evaluate-every", "500", "--silence-timeout", "60"];
/** Until it is interrupted. */
const ENDLESS = ["--epochs", "1000000", "--evaluate-every", "1000000"];

/** A run of two workers started by hand, one of them named `alice`: anybody may come to its port. */
interface OpenRun {
  readonly place: Workplace;
  readonly train: RunningCommand;
  readonly workers: readonly RunningCommand[];
  readonly endpoint: string;
}

async function openRun(length: readonly string[]): Promise<OpenRun> {
  const place = await workplace();
  const env = { ...place.env, RINGSTRASSE_TOKEN: TOKEN };
  const args = ["train", ...JOB, ...length, "--workers", "2", "--launcher", "none", "--out", place.out, "--json"];
  const train = startCommand(args, { env });
  const endpoint = await endpointOf(train);
  const workers = ["alice", "bob"].map((name) =>
    startCommand(["worker", "--coordinator", endpoint, "--worker-id", name], { env }),
  );
  await train.until((stdout) => stdout.includes('"event":"step"'));
  return { place, train, workers, endpoint };
}

async function endpointOf(train: RunningCommand): Promise<string> {
  let endpoint = "";
  await train.until((_, stderr) => {
    endpoint = /tcp:\/\/127\.0\.0\.1:\d+/.exec(stderr)?.[0] ?? "";
    return endpoint !== "";
  });
  return endpoint;
}

/** The job ends as if nobody had come: both workers leave in peace, and the bits are those of an undisturbed run. */
async function expectUndisturbed({ train, workers }: OpenRun): Promise<void> {
  const end = await train.ended;
  const last = eventsOf(end.stdout).at(-1);
  expect(end.exitCode, JSON.stringify(last)).toBe(0);
  const ends = await Promise.all(workers.map((worker) => worker.ended));
  expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const quiet = await workplace();
  const { finished } = await runTrain([...JOB, ...SHORT, "--out", quiet.out], { env: quiet.env });
  expect(last).toMatchObject({ event: "finished", weightsSha256: finished.weightsSha256 });
}

/** A raw ZeroMQ client that knows the key; its name is what the router knows it by. */
function stranger(endpoint: string, routingId: string): Dealer {
  const dealer = new Dealer({ routingId, linger: 0, ...curveClientOf(TOKEN) });
  onTestFinished(() => dealer.close());
  dealer.connect(endpoint);
  return dealer;
}

/** The first thing that a monitor has to say of a handshake. */
async function handshakeFailure(dealer: Dealer): Promise<string> {
  for await (const { type } of dealer.events) if (type.startsWith("handshake")) return type;
  throw new Error("the socket was closed before");
}

async function refusalOf(dealer: Dealer): Promise<unknown> {
  const [bytes = Buffer.alloc(0)] = await dealer.receive();
  const message = decodeFromCoordinator(bytes, "the coordinator");
  return message.kind === "refused" ? message.failure : message;
}

function joinAs(workerId: string, token: string): WorkerBody {
  const engine = { version: "0", instructionSet: "none", threads: 1, probeSha256: "0".repeat(64) };
  return {
    kind: "join",
    token,
    workerId: WorkerIdSchema.parse(workerId),
    host: "elsewhere",
    pid: 1,
    nodeVersion: "v20",
    engines: [{ ...engine, name: "wasm" }],
    memoryDomain: "here",
  };
}

describe("strangers at the control port of a running job", () => {
  it("garbage, foreign protocols, wrong tokens, taken names and raw bytes are refused by name; the job doesn't notice", async () => {
    const run = await openRun(SHORT);
    const [, bob] = run.workers;
    bob?.child.kill("SIGSTOP");
    const encoder = new MessageEncoder();

    const garbage = stranger(run.endpoint, "garbage");
    await garbage.send(Buffer.from("GET / HTTP/1.1"));
    expect(await refusalOf(garbage)).toMatchObject({ code: "PROTOCOL_VIOLATION" });
    await garbage.send([Buffer.alloc(0), Buffer.alloc(3, 255)]);
    expect(await refusalOf(garbage)).toMatchObject({ code: "PROTOCOL_VIOLATION" });

    // Under the name of a worker that has joined: it must not take that worker's place.
    const usurper = stranger(run.endpoint, "alice");
    await usurper.send(Buffer.alloc(1000, 7));
    expect(await refusalOf(usurper)).toMatchObject({ code: "PROTOCOL_VIOLATION" });
    await usurper.send(encoder.encode({ kind: "heartbeat", progress: 1, phase: "idle", epoch: 0, step: 0 }));
    expect(await refusalOf(usurper)).toMatchObject({ problem: expect.stringContaining("heartbeat before join") });
    await usurper.send(encoder.encode(joinAs("alice", "a-wrong-token")));
    expect(await refusalOf(usurper)).toMatchObject({ code: "WORKER_REFUSED", what: "the token" });
    await usurper.send(encoder.encode(joinAs("alice", TOKEN)));
    expect(await refusalOf(usurper)).toMatchObject({ code: "WORKER_REFUSED", what: "its name", workerId: "alice" });
    // Another engine, and too late: refused, but no reason to fail the job.
    await usurper.send(encoder.encode(joinAs("carol", TOKEN)));
    expect(await refusalOf(usurper)).toMatchObject({ code: "WORKER_REFUSED", what: "the number of workers" });

    // Without the token's key, or with another's, nothing that is said gets through.
    for (const options of [{}, curveClientOf("a-guess")]) {
      const outsider = new Dealer({ routingId: "outsider", linger: 0, ...options });
      onTestFinished(() => outsider.close());
      const failed = handshakeFailure(outsider);
      outsider.connect(run.endpoint);
      await outsider.send(encoder.encode(joinAs("dave", TOKEN)));
      expect(await failed).toMatch(/^handshake:error/);
    }

    const { hostname, port } = new URL(run.endpoint.replace("tcp:", "http:"));
    const raw = connect(Number(port), hostname);
    const closed = new Promise((resolve) => raw.once("close", resolve));
    // It may be reset before all is read.
    raw.on("error", () => raw.destroy());
    raw.end(Buffer.alloc(100_000, 0x5a));
    raw.resume();
    await closed;

    bob?.child.kill("SIGCONT");
    await expectUndisturbed(run);
  });

  it("a second worker with a name that is taken, and one with the wrong token, end with exit 5 and the reason", async () => {
    const run = await openRun(ENDLESS);
    const command = ["worker", "--coordinator", run.endpoint, "--worker-id"];
    const [twin, thief] = await Promise.all([
      runCommand([...command, "alice"], { env: { ...run.place.env, RINGSTRASSE_TOKEN: TOKEN } }),
      runCommand([...command, "mallory"], { env: { ...run.place.env, RINGSTRASSE_TOKEN: "a-guess" } }),
    ]);
    expect([twin.exitCode, thief.exitCode]).toEqual([5, 5]);
    expect(twin.stderr).toContain("worker alice on");
    expect(twin.stderr).toMatch(/its name is taken.*another --worker-id/);
    expect(thief.stderr).toMatch(
      /worker mallory on .* was refused: the token is another.*expected that of the coordinator at tcp:.*--token or RINGSTRASSE_TOKEN/,
    );
    for (const { stderr } of [twin, thief]) expect(stderr).not.toContain("    at ");
    // The job goes on: steps are still made, until it is told to stop.
    const { length } = run.train.stdout();
    await run.train.until((stdout) => stdout.slice(length).includes('"event":"step"'));
    run.train.child.kill("SIGINT");
    const end = await run.train.ended;
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ event: "failed", code: "INTERRUPTED" });
    const ends = await Promise.all(run.workers.map((worker) => worker.ended));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([130, 130]);
    expectNothingLeft(run.place);
  });

  it("nothing is left behind by a job that strangers came to", async () => {
    const place = await workplace();
    const env = { ...place.env, RINGSTRASSE_TOKEN: TOKEN };
    const args = ["train", IRIS, "--launcher", "none", "--join-timeout", "2", "--out", place.out, "--json"];
    const train = startCommand(args, { env });
    const dealer = stranger(await endpointOf(train), "early");
    await dealer.send(new MessageEncoder().encode(joinAs("early", "a-wrong-token")));
    expect(await refusalOf(dealer)).toMatchObject({ code: "WORKER_REFUSED", what: "the token" });
    const end = await train.ended;
    expect(end.exitCode).toBe(5);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ code: "RENDEZVOUS_TIMEOUT" });
    expect(end.stderr).not.toContain("    at ");
    expectNothingLeft(place);
  });
});
