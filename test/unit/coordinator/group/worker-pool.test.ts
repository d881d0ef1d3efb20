import { describe, expect, it, onTestFinished } from "vitest";
import { ControlServer } from "../../../../coordinator/group/control-server.js";
import { strangerIdentity } from "../../../../coordinator/group/group-member.js";
import type { Tenant } from "../../../../coordinator/group/tenant.js";
import { type PoolPolicy, type Release, WorkerPool } from "../../../../coordinator/group/worker-pool.js";
import type { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import type { WorkerExit } from "../../../../coordinator/launcher/launcher.js";
import { deferred } from "../../../../shared/deferred.js";
import type { Failure } from "../../../../shared/failure.js";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import { createLogger } from "../../../../shared/logger.js";
import type { FromWorker, WorkerBody } from "../../../../shared/protocol/control-message.js";
import { ControlClient, joinMessage } from "../../../support/control-client.js";

const TOKEN = "right";
/** Of whoever joins here. */
const JOINING_PID = joinMessage("w", { token: "" }).pid;
const POLICY: PoolPolicy = { heartbeatIntervalMs: 50, silentAfterMs: 60_000, comeBack: true };
const JOB = { jobId: JobIdSchema.parse("job"), generation: GenerationSchema.parse(1) };
const HEARTBEAT: WorkerBody = { kind: "heartbeat", progress: 1, phase: "idle", epoch: 0, step: 0 };
const FIGURES = { loss: 1, accuracy: null, totalRows: 1, learningRate: 0.1, replicas: [0], rows: 1, computeMs: 1 };
const REPORT = { epoch: 1, step: 1, ...FIGURES, communicationMs: 0, sentBytes: 0, receivedBytes: 0 };
const STEPS: WorkerBody = { kind: "steps", ...JOB, reports: [REPORT] };
const WELL: Release = { ...JOB, failure: null };

/** Things that happen, in order, and a way to wait for the next one. */
class Journal<T> {
  readonly entries: T[] = [];
  #waiting = deferred<void>();

  add(entry: T): void {
    this.entries.push(entry);
    this.#waiting.resolve();
    this.#waiting = deferred();
  }

  async until(condition: (entries: readonly T[]) => boolean): Promise<void> {
    while (!condition(this.entries)) await this.#waiting.promise;
  }
}

async function openPool(policy: PoolPolicy = POLICY) {
  const log = createLogger("silent", {});
  const server = await ControlServer.open("tcp://127.0.0.1:0", TOKEN, log);
  const idle = new Journal<WorkerRecord>();
  const lost = new Journal<Failure>();
  const broken: Failure[] = [];
  const listener = {
    idle: (worker: WorkerRecord) => idle.add(worker),
    lost: (failure: Failure) => lost.add(failure),
    broken: (failure: Failure) => broken.push(failure),
  };
  const pool = new WorkerPool({ server, policy, admit: () => null, listener, log });
  onTestFinished(async () => {
    await pool.close(null);
    await server[Symbol.asyncDispose]();
    expect(broken).toEqual([]);
  });
  const join = async (name: string) => {
    const client = new ControlClient(server.endpoint, `${name}/${Math.random()}`, TOKEN);
    await client.send(joinMessage(name, { token: TOKEN }));
    const welcome = await client.next();
    return { client, welcome };
  };
  return { pool, server, idle, lost, join };
}

/** A tenant that keeps what it hears. */
class Listener implements Tenant {
  readonly messages = new Journal<FromWorker>();
  readonly losses = new Journal<Failure>();
  readonly departures = new Journal<Failure>();

  received(_worker: WorkerRecord, message: FromWorker): void {
    this.messages.add(message);
  }

  lost(_worker: WorkerRecord, failure: Failure): void {
    this.losses.add(failure);
  }

  leaving(_worker: WorkerRecord, failure: Failure): void {
    this.departures.add(failure);
  }

  identify(worker: WorkerRecord) {
    return { ...strangerIdentity(worker), rank: 3, replicas: [6, 7], step: 11 };
  }

  look(): void {
    // Looks after nobody.
  }
}

describe("WorkerPool", () => {
  it("lets workers in, tells them how to behave, and answers their heartbeats", async () => {
    const { pool, idle, join } = await openPool();
    const { client, welcome } = await join("alice");
    expect(welcome).toMatchObject({
      kind: "welcome",
      heartbeatIntervalMs: 50,
      coordinatorTimeoutMs: 180_000,
      comeBack: true,
    });
    expect((await client.ask(HEARTBEAT)).kind).toBe("alive");
    expect(idle.entries.map(({ workerId }) => workerId)).toEqual(["alice"]);
    expect(pool.workers.map(({ state }) => state)).toEqual(["idle"]);
  });

  it("hands a lent worker's messages to its tenant alone, and takes it back when it says that nothing is left", async () => {
    const { pool, idle, join } = await openPool();
    const { client } = await join("alice");
    const tenant = new Listener();
    const [worker] = pool.workers;
    pool.lend(pool.workers, tenant);
    expect(() => pool.lend(pool.workers, tenant)).toThrow("worker alice is lent, not idle");
    await client.send({ kind: "ready", ...JOB, ringEndpoint: null, segment: null, layoutHash: "a".repeat(64) });
    await tenant.messages.until((messages) => messages.length === 1);

    let isReleased = false;
    const released = pool.release(pool.workers, WELL).then(() => {
      isReleased = true;
    });
    expect(await client.nextOf("release")).toMatchObject({ ...JOB, failure: null });
    // What the generation still had to say is heard by nobody, but for its last steps.
    await client.send({ kind: "failed", ...JOB, failure: { code: "INTERNAL", problem: "late" } });
    await client.send(STEPS);
    await client.ask(HEARTBEAT);
    expect([isReleased, worker?.state]).toEqual([false, "releasing"]);
    await client.send({ kind: "released", ...JOB });
    await released;
    expect(worker?.state).toBe("idle");
    await client.send(STEPS);
    await client.ask(HEARTBEAT);
    expect(tenant.messages.entries.map(({ kind }) => kind)).toEqual(["ready", "steps"]);
    await idle.until((workers) => workers.length === 2);
    pool.lend(pool.workers, tenant);
  });

  it("a worker that leaves is lost by name, with its place in the job; its name is free again", async () => {
    const { pool, lost, join } = await openPool();
    const { client } = await join("alice");
    const tenant = new Listener();
    pool.lend(pool.workers, tenant);
    await client.send({ kind: "leave", signal: "SIGTERM" });
    await lost.until((failures) => failures.length === 1);
    const left = { code: "WORKER_LEFT", rank: 3, replicas: [6, 7], step: 11, signal: "SIGTERM" };
    expect(lost.entries).toMatchObject([left]);
    expect(tenant.losses.entries).toMatchObject([left]);
    expect(pool.workers).toEqual([]);
    expect((await join("alice")).welcome.kind).toBe("welcome");
  });

  it("a worker that has to leave is told to stop at once when it is idle", async () => {
    const { pool, lost, join } = await openPool();
    const { client } = await join("alice");
    await client.send({ kind: "leaving", signal: "SIGTERM" });
    expect(await client.nextOf("stop")).toMatchObject({ failure: { code: "INTERRUPTED", signal: "SIGTERM" } });
    expect(lost.entries).toMatchObject([{ code: "WORKER_LEFT", rank: null, signal: "SIGTERM" }]);
    expect(pool.workers).toEqual([]);
  });

  it("a worker that has to leave stays with its tenant, who is told, until it is given back; then it is never idle", async () => {
    const { pool, idle, lost, join } = await openPool();
    const { client } = await join("alice");
    const tenant = new Listener();
    pool.lend(pool.workers, tenant);
    await client.send({ kind: "leaving", signal: "SIGTERM" });
    await tenant.departures.until((failures) => failures.length === 1);
    expect(tenant.departures.entries).toMatchObject([{ code: "WORKER_LEFT", rank: 3, step: 11, signal: "SIGTERM" }]);
    expect(pool.workers.map(({ state }) => state)).toEqual(["lent"]);
    const released = pool.release(pool.workers, WELL);
    await client.nextOf("release");
    await client.send({ kind: "released", ...JOB });
    await released;
    expect(await client.nextOf("stop")).toMatchObject({ failure: { code: "INTERRUPTED", signal: "SIGTERM" } });
    expect(lost.entries).toMatchObject([{ code: "WORKER_LEFT", signal: "SIGTERM" }]);
    expect(idle.entries).toHaveLength(1);
    expect((await join("alice")).welcome.kind).toBe("welcome");
  });

  it("a worker that falls silent is lost; what it says later is refused, so that it joins again", async () => {
    const { pool, lost, join } = await openPool({ ...POLICY, silentAfterMs: 300 });
    const { client } = await join("alice");
    await lost.until((failures) => failures.length === 1);
    expect(lost.entries).toMatchObject([{ code: "WORKER_SILENT", host: "h", rank: null }]);
    expect(pool.workers).toEqual([]);
    expect(await client.ask(HEARTBEAT)).toMatchObject({
      kind: "refused",
      failure: { code: "PROTOCOL_VIOLATION", problem: "it sent heartbeat before join" },
    });
  });

  it("answers each piece of the weights, which heartbeats wait behind, and takes it for progress", async () => {
    const { pool, join } = await openPool();
    const { client } = await join("alice");
    const tenant = new Listener();
    pool.lend(pool.workers, tenant);
    const [worker] = pool.workers;
    const before = worker?.vitals.lastProgressMs ?? 0;
    for (const offsetBytes of [0, 2]) {
      const piece = { kind: "weights", ...JOB, offsetBytes, totalBytes: 4, bytes: Buffer.from([1, 2]) } as const;
      expect(await client.ask(piece)).toMatchObject({ kind: "alive" });
    }
    expect(tenant.messages.entries).toHaveLength(2);
    expect(worker?.vitals.lastProgressMs).toBeGreaterThan(before);
  });

  it("a launched process that ended before its join was read is no worker, and leaves its place to the next one", async () => {
    const { pool, lost, join } = await openPool();
    const launch = (pid: number) => {
      const ended = deferred<WorkerExit>();
      const worker = { index: 0, workerId: "local-0", host: "h", pid, ended: ended.promise, kill: () => undefined };
      pool.adopt(worker);
      return { die: () => ended.resolve({ exitCode: null, signal: "SIGKILL", lastWords: null }) };
    };
    launch(JOINING_PID).die();
    await lost.until((failures) => failures.length === 1);
    const refused = { kind: "refused", failure: { code: "WORKER_REFUSED", what: "its process" } };
    expect((await join("local-0")).welcome).toMatchObject(refused);
    const other = launch(JOINING_PID + 1);
    expect((await join("local-0")).welcome).toMatchObject(refused);
    expect(pool.workers).toEqual([]);
    other.die();
    await lost.until((failures) => failures.length === 2);
    const next = launch(JOINING_PID);
    expect((await join("local-0")).welcome.kind).toBe("welcome");
    expect(pool.workers.map(({ launched }) => launched?.pid)).toEqual([JOINING_PID]);
    next.die();
    await lost.until((failures) => failures.length === 3);
  });

  it("knows which launched processes have not joined", async () => {
    const { pool, join } = await openPool();
    const ended = [0, 1].map((index) => {
      const { promise, resolve } = deferred<WorkerExit>();
      const worker = { index, rank: index, workerId: `rank-${index}`, host: "h", pid: JOINING_PID };
      pool.adopt({ ...worker, ended: promise, kill: () => undefined });
      return resolve;
    });
    await join("rank-0");
    expect(pool.expected.map(({ rank }) => rank)).toEqual([1]);
    for (const end of ended) end({ exitCode: 0, signal: null, lastWords: null });
  });

  it("release ends for a worker that is lost meanwhile", async () => {
    const { pool, join } = await openPool();
    const { client } = await join("alice");
    pool.lend(pool.workers, new Listener());
    const released = pool.release(pool.workers, WELL);
    await client.nextOf("release");
    await client.send({ kind: "leave", signal: "SIGINT" });
    await released;
    expect(pool.workers).toEqual([]);
  });

  it("garbage from a worker that was let in costs it its place, and its tenant hears why", async () => {
    const { pool, join } = await openPool();
    const { client } = await join("alice");
    const tenant = new Listener();
    pool.lend(pool.workers, tenant);
    await client.send(joinMessage("alice", { token: TOKEN }));
    await tenant.losses.until((failures) => failures.length === 1);
    expect(tenant.losses.entries).toMatchObject([
      { code: "PROTOCOL_VIOLATION", from: "worker alice", problem: "it joined twice" },
    ]);
  });

  it.each([
    { comeBack: true, heard: "nothing: it is to wait for the next coordinator" },
    { comeBack: false, heard: "the verdict" },
  ])("when the pool closes with comeBack $comeBack, a worker from elsewhere hears $heard", async ({ comeBack }) => {
    const { pool, server, join } = await openPool({ ...POLICY, comeBack });
    const { client } = await join("alice");
    const failure = { code: "INTERNAL", problem: "the end" } as const;
    await pool.close(failure);
    // Messages arrive in the order in which they left: whatever the pool said comes before this one.
    server.send("alice", { kind: "alive" });
    expect(await client.next()).toMatchObject(comeBack ? { kind: "alive" } : { kind: "stop", failure });
    expect((await join("bob")).welcome).toMatchObject({ kind: "refused", failure: { what: "the time" } });
  });
});
