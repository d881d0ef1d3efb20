import { deferred } from "../../shared/deferred.js";
import { type Failure, RingstrasseError, toFailure } from "../../shared/failure.js";
import type { Generation, Rank } from "../../shared/ids.js";
import type { JobSpec } from "../../shared/job-spec.js";
import type { Logger } from "../../shared/logger.js";
import type { FromWorker } from "../../shared/protocol/control-message.js";
import { unreachable } from "../../shared/unreachable.js";
import { LaunchedWorkers } from "../launcher/launched-workers.js";
import { describeExit, type LaunchedWorker, type WorkerExit } from "../launcher/launcher.js";
import { compareOutcomes } from "./compare-outcomes.js";
import type { ControlServer, JoinMessage } from "./control-server.js";
import { findMixture } from "./engine-compatibility.js";
import { divergence, surplus, tooFew } from "./group-failures.js";
import { decideMembership } from "./membership.js";
import { type ReportListener, ReportOrder } from "./report-order.js";
import { WeightsReceiver } from "./weights-receiver.js";
import { judgeHealth, WatchClock } from "./worker-health.js";
import { WorkerRecord } from "./worker-record.js";

const WATCH_INTERVAL_MS = 200;
/** A gap between two looks at the clock counts for at most this: longer ones are the coordinator's own pauses. */
const MAX_GAP_MS = 1000;

export interface GroupPolicy {
  /** N. */
  readonly workers: number;
  readonly joinTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly silentAfterMs: number;
  readonly stalledAfterMs: number;
  /** Of the ring. */
  readonly transport: "tcp" | "ipc";
  /** To inject, see worker/fault. */
  readonly faults: readonly string[];
}

/** Hears what the group does; must not throw. */
export interface GroupObserver extends ReportListener {
  formed(generation: number, workers: readonly WorkerRecord[], reason: string): void;
  blockHashes(rank: number, message: Extract<FromWorker, { kind: "blockHashes" }>): void;
}

export interface GroupResult {
  readonly epochs: number;
  readonly steps: number;
  readonly weightsSha256: string;
  readonly stateSha256: string;
  /** Little-endian float32, layer order, no padding. */
  readonly weights: Uint8Array;
}

export interface GroupOptions {
  readonly spec: JobSpec;
  readonly policy: GroupPolicy;
  readonly server: ControlServer;
  readonly observer: GroupObserver;
  readonly log: Logger;
}

/**
 * The workers of one job: lets them in, gives them places in a generation, watches over them and collects their result. The
 * first failure decides: every survivor is told, so that all name the same culprit.
 */
export class WorkerGroup implements AsyncDisposable {
  readonly #options: GroupOptions;
  readonly #workers = new Map<string, WorkerRecord>();
  readonly #launched = new LaunchedWorkers();
  readonly #clock = new WatchClock(MAX_GAP_MS);
  readonly #reports: ReportOrder;
  readonly #weights = new WeightsReceiver();
  readonly #watch: NodeJS.Timeout;
  readonly #result = deferred<GroupResult>();
  #generation = 0 as Generation;
  #verdict: Failure | null = null;
  #over = false;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#reports = new ReportOrder(options.policy.workers, options.observer);
    this.#clock.tick(performance.now());
    this.#watch = setInterval(() => this.#guard(() => this.#look()), WATCH_INTERVAL_MS);
    options.server.listen({
      joined: (message) => this.#onJoined(message),
      received: (workerId, message) => this.#guard(() => this.#onReceived(workerId, message)),
      troubled: (_, failure) => this.fail(failure),
    });
  }

  /** Watches over a process that a launcher started: if it ends before its time, the job fails by its name. */
  adopt(launched: LaunchedWorker): void {
    this.#launched.adopt(launched, (exit) => this.#onEnded(launched, exit));
  }

  /** The result, once all workers have sent theirs. @throws RingstrasseError with the first failure. */
  result(): Promise<GroupResult> {
    return this.#result.promise;
  }

  /** Ends the job with `failure`, unless it is over already; all workers are told. */
  fail(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    this.#verdict = failure;
    this.#result.reject(new RingstrasseError(failure));
  }

  /** Tells the workers that the job is over, and waits until every launched process has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    clearInterval(this.#watch);
    const { server } = this.#options;
    for (const workerId of this.#workers.keys()) server.send(workerId, { kind: "stop", failure: this.#verdict });
    // A process that has not joined hears no stop, and neither does one that stands still.
    const silentPid = this.#verdict?.code === "WORKER_SILENT" ? this.#verdict.pid : null;
    await this.#launched.dismiss(({ workerId, pid }) => this.#workers.has(workerId) && pid !== silentPid);
  }

  #onJoined(message: JoinMessage): Failure | null {
    const { policy, server } = this.#options;
    // Before all else: whoever comes too late must not be able to fail a job that runs.
    if (this.#generation > 0 || this.#workers.size >= policy.workers) return surplus(message, policy.workers);
    const first = this.#workers.values().next().value;
    const mixture = first === undefined ? null : findMixture(first.join, message);
    if (mixture !== null) {
      this.fail(mixture);
      return mixture;
    }
    const launched = this.#launched.find(message.workerId);
    this.#workers.set(message.workerId, new WorkerRecord(message, launched, this.#now()));
    const { heartbeatIntervalMs, silentAfterMs } = policy;
    // Workers are more patient than the coordinator: its verdict comes first, and names the culprit.
    server.send(message.workerId, { kind: "welcome", heartbeatIntervalMs, coordinatorTimeoutMs: 3 * silentAfterMs });
    this.#form();
    return null;
  }

  /** Forms the generation as soon as the workers are there. */
  #form(): void {
    const { policy, spec, server, observer } = this.#options;
    if (this.#generation > 0 || this.#over) return;
    const members = [...this.#workers.values()].map((worker) => worker.member);
    const membership = { workers: policy.workers, replicas: spec.replicas, joinTimeoutMs: policy.joinTimeoutMs };
    const waitedMs = this.#now();
    const decision = decideMembership(waitedMs, members, membership);
    switch (decision.kind) {
      case "wait":
        return;
      case "giveUp":
        return this.fail(
          tooFew({
            joined: members.length,
            expected: policy.workers,
            waitedMs: Math.round(waitedMs),
            endpoint: this.#launched.count === 0 ? server.endpoint : null,
          }),
        );
      case "form":
        break;
      default:
        return unreachable(decision);
    }
    this.#generation = (this.#generation + 1) as Generation;
    const worldSize = decision.assignments.length;
    for (const assignment of decision.assignments) {
      const worker = this.#worker(assignment.workerId);
      worker.assignment = assignment;
      server.send(assignment.workerId, {
        kind: "assign",
        jobId: spec.jobId,
        generation: this.#generation,
        rank: assignment.rank as Rank,
        worldSize,
        transport: policy.transport,
        spec,
        faults: [...policy.faults],
      });
    }
    observer.formed(this.#generation, this.#ranked(), decision.reason);
  }

  #onReceived(workerId: string, message: FromWorker): void {
    if (this.#over) return;
    const worker = this.#worker(workerId);
    worker.heard(this.#now());
    if ("generation" in message && message.generation !== this.#generation) return;
    const rank = worker.assignment?.rank ?? 0;
    switch (message.kind) {
      case "join":
        throw new Error("joins are handled by the control server");
      case "heartbeat":
        worker.heartbeat(message, this.#now());
        this.#options.server.send(workerId, { kind: "alive" });
        return;
      case "ready":
        worker.ringEndpoint = message.ringEndpoint;
        worker.layoutHash = message.layoutHash;
        return this.#startWhenReady();
      case "steps":
        return this.#reports.steps(rank, message.reports);
      case "epoch":
        return this.#reports.epoch(message.report);
      case "blockHashes":
        return this.#options.observer.blockHashes(rank, message);
      case "weights":
        return this.#weights.add(message, `worker rank ${rank}`);
      case "finished":
        worker.finished = message;
        return this.#finishWhenAllHave();
      case "failed":
        return this.fail(message.failure);
      default:
        return unreachable(message);
    }
  }

  #startWhenReady(): void {
    const { server, spec } = this.#options;
    const workers = this.#ranked();
    const ringEndpoints = workers.map((worker) => worker.ringEndpoint);
    if (!ringEndpoints.every((endpoint) => endpoint !== undefined)) return;
    const layouts = new Set(workers.map((worker) => worker.layoutHash));
    if (layouts.size > 1) return this.fail(divergence("layouts", workers, (worker) => worker.layoutHash ?? "none"));
    const { jobId } = spec;
    for (const worker of workers) {
      server.send(worker.workerId, { kind: "start", jobId, generation: this.#generation, ringEndpoints });
    }
  }

  #finishWhenAllHave(): void {
    const comparison = compareOutcomes(this.#ranked());
    if (comparison.kind === "open") return;
    if (comparison.kind === "different") return this.fail(comparison.failure);
    const { epochs, steps, weightsSha256, stateSha256 } = comparison.outcome;
    const weights = this.#weights.take(weightsSha256, "worker rank 0");
    this.#over = true;
    this.#result.resolve({ epochs, steps, weightsSha256, stateSha256, weights });
  }

  #onEnded(launched: LaunchedWorker, exit: WorkerExit): void {
    const worker = this.#workers.get(launched.workerId);
    const unknown = { rank: null, host: launched.host, pid: launched.pid, replicas: [], step: null };
    const how = describeExit(exit);
    this.fail({ code: "WORKER_DIED", ...(worker?.identity ?? unknown), how, lastWords: exit.lastWords });
  }

  #look(): void {
    const nowMs = this.#now();
    if (this.#over) return;
    this.#form();
    const { policy } = this.#options;
    const verdict = judgeHealth(
      nowMs,
      [...this.#workers.values()].map((worker) => worker.vitals),
      policy,
    );
    switch (verdict.kind) {
      case "healthy":
        return;
      case "silent": {
        const { identity } = this.#worker(verdict.workerId);
        return this.fail({ code: "WORKER_SILENT", ...identity, silentMs: Math.round(verdict.silentMs) });
      }
      case "stalled": {
        const { identity } = this.#worker(verdict.workerId);
        const stalledMs = Math.round(verdict.stalledMs);
        return this.fail({ code: "WORKER_STALLED", ...identity, stalledMs, phase: verdict.why });
      }
      default:
        return unreachable(verdict);
    }
  }

  /** An error of the group's own must end the job, not the process. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      this.#options.log.debug({ err: thrown }, "worker group");
      this.fail(toFailure(thrown));
    }
  }

  #now(): number {
    return this.#clock.tick(performance.now());
  }

  #worker(workerId: string): WorkerRecord {
    const worker = this.#workers.get(workerId);
    if (worker === undefined) throw new Error(`no worker ${workerId}`);
    return worker;
  }

  /** The members of the generation, by rank. */
  #ranked(): WorkerRecord[] {
    return [...this.#workers.values()]
      .filter((worker) => worker.assignment !== null)
      .sort((a, b) => (a.assignment?.rank ?? 0) - (b.assignment?.rank ?? 0));
  }
}
