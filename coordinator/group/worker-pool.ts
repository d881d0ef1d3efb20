import { deferred } from "../../shared/deferred.js";
import { type Failure, toFailure } from "../../shared/failure.js";
import type { Generation, JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import type { CoordinatorBody, FromWorker } from "../../shared/protocol/control-message.js";
import { LaunchedWorkers } from "../launcher/launched-workers.js";
import { describeExit, type LaunchedWorker, type WorkerExit } from "../launcher/launcher.js";
import type { ControlServer, JoinMessage } from "./control-server.js";
import { strangerIdentity } from "./group-member.js";
import { poolIsClosing, processIsGone } from "./join-refusals.js";
import { isReport } from "./report-order.js";
import type { Tenant, WorkerLeftFailure } from "./tenant.js";
import { WatchClock } from "./worker-health.js";
import { WorkerRecord } from "./worker-record.js";

const WATCH_INTERVAL_MS = 200;
/** A gap between two looks at the clock counts for at most this: longer ones are the coordinator's own pauses. */
const MAX_GAP_MS = 1000;
/** How long a worker may need to drop a generation that is over: one micro-batch of most models. */
const RELEASE_MS = 10_000;

export interface PoolPolicy {
  readonly heartbeatIntervalMs: number;
  readonly silentAfterMs: number;
  /** Whether workers that lose this coordinator join again. */
  readonly comeBack: boolean;
}

/** Hears what becomes of the workers; must not throw. */
export interface PoolListener {
  /** A worker has joined, or its job is over: it can be lent. */
  idle(worker: WorkerRecord): void;
  /** A worker is gone for good; null: a launched process that had not joined. Whoever had it has been told already. */
  lost(failure: Failure, worker: WorkerRecord | null, launched: LaunchedWorker | null): void;
  /** Something of the pool's own went wrong: a defect. */
  broken(failure: Failure): void;
}

/** Ends a generation for its workers: with the failure that broke it, null when it ended well. */
export interface Release {
  readonly jobId: JobId;
  readonly generation: Generation;
  readonly failure: Failure | null;
}

export interface PoolOptions {
  readonly server: ControlServer;
  readonly policy: PoolPolicy;
  /** Whether a worker may come in. @returns a failure to refuse it with, or null. */
  readonly admit: (message: JoinMessage, here: readonly WorkerRecord[]) => Failure | null;
  readonly listener: PoolListener;
  readonly log: Logger;
}

/**
 * The workers of one coordinator: lets them in, watches over them, lends them to jobs and takes them back. Workers come and go while
 * jobs run; what a job makes of a loss is the job's own business.
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Map<string, WorkerRecord>();
  readonly #tenants = new Map<WorkerRecord, Tenant>();
  readonly #releasing = new Map<WorkerRecord, { readonly tenant: Tenant | undefined; resolve(): void }>();
  readonly #launched = new LaunchedWorkers();
  readonly #clock = new WatchClock(MAX_GAP_MS);
  readonly #watch: NodeJS.Timeout;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#clock.tick(performance.now());
    this.#watch = setInterval(() => this.#guard(() => this.#look()), WATCH_INTERVAL_MS);
    options.server.listen({
      joined: (message) => this.#onJoined(message),
      received: (workerId, message) => this.#guard(() => this.#onReceived(workerId, message)),
      troubled: (workerId, failure) => this.#guard(() => this.#onTroubled(workerId, failure)),
    });
  }

  /** Those that are not lost, in the order in which they joined. */
  get workers(): readonly WorkerRecord[] {
    return [...this.#workers.values()];
  }

  /** Launched processes that run and have not joined yet. */
  get expected(): readonly LaunchedWorker[] {
    return this.#launched.running.filter(({ workerId }) => !this.#workers.has(workerId));
  }

  /** How many processes were launched, whatever became of them. */
  get launchedCount(): number {
    return this.#launched.count;
  }

  /** The pool's clock: does not count this process's own pauses. */
  now(): number {
    return this.#clock.tick(performance.now());
  }

  /** Watches over a process that a launcher started. */
  adopt(launched: LaunchedWorker): void {
    this.#launched.adopt(launched, (exit) => this.#guard(() => this.#onEnded(launched, exit)));
  }

  send(worker: WorkerRecord, body: CoordinatorBody): void {
    if (worker.state !== "lost") this.#options.server.send(worker.workerId, body);
  }

  /** Gives idle workers to a tenant. @throws RangeError when one is not idle */
  lend(workers: readonly WorkerRecord[], tenant: Tenant): void {
    const taken = workers.find((worker) => worker.state !== "idle");
    if (taken !== undefined) throw new RangeError(`worker ${taken.workerId} is ${taken.state}, not idle`);
    for (const worker of workers) {
      this.#enter(worker, "lent");
      worker.begins(this.now());
      this.#tenants.set(worker, tenant);
    }
  }

  /** Takes workers back from their tenant. Resolves when each is idle again or lost. */
  async release(workers: readonly WorkerRecord[], { jobId, generation, failure }: Release): Promise<void> {
    const lent = workers.filter((worker) => worker.state === "lent");
    const left = lent.map((worker) => {
      const { promise, resolve } = deferred<void>();
      this.#releasing.set(worker, { tenant: this.#tenants.get(worker), resolve });
      this.#tenants.delete(worker);
      this.#enter(worker, "releasing");
      this.send(worker, { kind: "release", jobId, generation, failure });
      return promise;
    });
    await Promise.all(left);
  }

  /** Gives a worker up: it is lost from here on, and killed where it was launched from here. */
  condemn(worker: WorkerRecord, failure: Failure): void {
    worker.launched?.kill();
    this.#lose(worker, failure);
  }

  /**
   * Tells every worker to stop, by `verdict` or because all is well, and waits until every launched process has ended. With
   * `comeBack`, workers that were not launched from here are left alone: they wait for the next coordinator.
   */
  async close(verdict: Failure | null): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watch);
    const { server, policy } = this.#options;
    for (const worker of this.#workers.values()) {
      if (!policy.comeBack || worker.launched !== null)
        server.send(worker.workerId, { kind: "stop", failure: verdict });
    }
    // A process that has not joined hears no stop, and neither does one that was given up.
    await this.#launched.dismiss(({ workerId }) => this.#workers.has(workerId));
    for (const { resolve } of this.#releasing.values()) resolve();
  }

  #onJoined(message: JoinMessage): Failure | null {
    const launched = this.#launched.find(message.workerId);
    const refusal = this.#refusalOf(message, launched);
    if (refusal !== null) return refusal;
    const worker = new WorkerRecord(message, launched, this.now());
    this.#workers.set(message.workerId, worker);
    const { heartbeatIntervalMs, silentAfterMs, comeBack } = this.#options.policy;
    // Workers are more patient than the coordinator: its verdict comes first, and names the culprit.
    const coordinatorTimeoutMs = 3 * silentAfterMs;
    this.send(worker, { kind: "welcome", heartbeatIntervalMs, coordinatorTimeoutMs, comeBack });
    this.#options.listener.idle(worker);
    return null;
  }

  #refusalOf(message: JoinMessage, launched: LaunchedWorker | null): Failure | null {
    if (this.#closed) return poolIsClosing(message);
    const { workerId, pid } = message;
    const isStillThere = launched !== null && (launched.pid === null || launched.pid === pid);
    // It joined and died before that was read; its place goes to the next one of its name.
    if (this.#launched.hasStarted(workerId) && !isStillThere) return processIsGone(message);
    return this.#options.admit(message, this.workers);
  }

  #onReceived(workerId: string, message: FromWorker): void {
    const worker = this.#workers.get(workerId);
    if (worker === undefined) return;
    worker.heard(this.now());
    // Of all that a generation that is over still has to say, its last steps alone are of interest.
    const tenant = this.#tenants.get(worker) ?? this.#releasing.get(worker)?.tenant;
    if (isReport(message)) return tenant?.received(worker, message);
    if (this.#closed) return;
    switch (message.kind) {
      case "heartbeat":
        worker.heartbeat(message, this.now());
        return this.send(worker, { kind: "alive" });
      case "weights":
        // Its heartbeats wait behind them, on a slow link longer than either side is patient.
        worker.progressed(this.now());
        this.send(worker, { kind: "alive" });
        return this.#tenants.get(worker)?.received(worker, message);
      case "leaving":
        return this.#onLeaving(worker, message.signal);
      case "leave":
        return this.#lose(worker, this.#left(worker, message.signal));
      case "released":
        if (worker.state !== "releasing") return;
        if (worker.leavesBy !== null) return this.#dismiss(worker, worker.leavesBy);
        this.#enter(worker, "idle");
        this.#givenBack(worker);
        return this.#options.listener.idle(worker);
      default:
        return this.#tenants.get(worker)?.received(worker, message);
    }
  }

  /** Who has it decides when it goes. */
  #onLeaving(worker: WorkerRecord, signal: string): void {
    worker.leavesBy = signal;
    const tenant = this.#tenants.get(worker);
    if (tenant !== undefined) tenant.leaving(worker, this.#left(worker, signal));
    else if (worker.state === "idle") this.#dismiss(worker, signal);
  }

  #dismiss(worker: WorkerRecord, signal: string): void {
    this.send(worker, { kind: "stop", failure: { code: "INTERRUPTED", signal } });
    this.#lose(worker, this.#left(worker, signal));
  }

  #onTroubled(workerId: string, failure: Failure): void {
    const worker = this.#workers.get(workerId);
    if (worker !== undefined) this.condemn(worker, failure);
  }

  #onEnded(launched: LaunchedWorker, exit: WorkerExit): void {
    if (this.#closed) return;
    const worker = this.#workers.get(launched.workerId) ?? null;
    const how = describeExit(exit);
    if (worker !== null) return this.#lose(worker, this.#died(worker, how, exit.lastWords));
    const { host, pid } = launched;
    const failure = { rank: null, host, pid, replicas: [], step: null, how, lastWords: exit.lastWords };
    this.#options.listener.lost({ code: "WORKER_DIED", ...failure }, null, launched);
  }

  #look(): void {
    const nowMs = this.now();
    if (this.#closed) return;
    for (const tenant of new Set(this.#tenants.values())) tenant.look(nowMs);
    const { silentAfterMs } = this.#options.policy;
    for (const worker of this.#workers.values()) {
      const identity = strangerIdentity(worker);
      const silentMs = Math.round(nowMs - worker.vitals.lastHeartbeatMs);
      // Those that are lent are their tenants' care.
      if (worker.state !== "lent" && silentMs > silentAfterMs)
        this.condemn(worker, { code: "WORKER_SILENT", ...identity, silentMs });
      const releasingMs = Math.round(nowMs - worker.stateSinceMs);
      if (worker.state === "releasing" && releasingMs > RELEASE_MS)
        this.condemn(worker, {
          code: "WORKER_STALLED",
          ...identity,
          stalledMs: releasingMs,
          phase: "dropping its job",
        });
    }
  }

  #lose(worker: WorkerRecord, failure: Failure): void {
    if (worker.state === "lost") return;
    const tenant = this.#tenants.get(worker);
    this.#enter(worker, "lost");
    this.#tenants.delete(worker);
    // One that is to come back has to find its name free; of a run of one job it may still hear that it is over.
    if (!this.#options.policy.comeBack) this.#options.server.send(worker.workerId, { kind: "stop", failure });
    else this.#options.server.forget(worker.workerId);
    this.#workers.delete(worker.workerId);
    this.#givenBack(worker);
    tenant?.lost(worker, failure);
    this.#options.listener.lost(failure, worker, worker.launched);
  }

  #died(worker: WorkerRecord, how: string, lastWords: string | null): Failure {
    const identity = this.#tenants.get(worker)?.identify(worker) ?? strangerIdentity(worker);
    return { code: "WORKER_DIED", ...identity, how, lastWords };
  }

  #left(worker: WorkerRecord, signal: string): WorkerLeftFailure {
    const identity = this.#tenants.get(worker)?.identify(worker) ?? strangerIdentity(worker);
    return { code: "WORKER_LEFT", ...identity, signal };
  }

  #givenBack(worker: WorkerRecord): void {
    this.#releasing.get(worker)?.resolve();
    this.#releasing.delete(worker);
  }

  #enter(worker: WorkerRecord, state: WorkerRecord["state"]): void {
    worker.state = state;
    worker.stateSinceMs = this.now();
  }

  /** An error of the pool's own must be heard of, and not end the process. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      this.#options.log.debug({ err: thrown }, "worker pool");
      this.#options.listener.broken(toFailure(thrown));
    }
  }
}
