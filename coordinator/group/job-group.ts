import { layoutOf } from "../../shared/arena-layout.js";
import type { CollectiveName } from "../../shared/collective-choice.js";
import { deferred } from "../../shared/deferred.js";
import { type Failure, RingstrasseError, toFailure } from "../../shared/failure.js";
import type { Generation, Rank } from "../../shared/ids.js";
import type { PlannedJobSpec } from "../../shared/job-spec.js";
import type { Logger } from "../../shared/logger.js";
import type { EngineFacts, FromWorker } from "../../shared/protocol/control-message.js";
import type { CheckpointStore } from "./checkpoint-store.js";
import { CheckpointTraffic, type SavedEnding } from "./checkpoint-traffic.js";
import { chooseEngine, engineNeedOf } from "./choose-engine.js";
import { compareOutcomes } from "./compare-outcomes.js";
import type { Formation } from "./formation.js";
import { GroupExchange, type SettledCollective } from "./group-exchange.js";
import { divergence } from "./group-failures.js";
import { GroupMember, strangerIdentity, type WorkerIdentity } from "./group-member.js";
import type { GroupPolicy } from "./group-policy.js";
import { isReport, type ReportListener, ReportOrder } from "./report-order.js";
import type { MergedStep } from "./step-merger.js";
import type { Tenant } from "./tenant.js";
import { WeightsReceiver } from "./weights-receiver.js";
import { judgeHealth } from "./worker-health.js";
import type { WorkerPool } from "./worker-pool.js";
import type { WorkerRecord } from "./worker-record.js";

export interface FormedGeneration {
  readonly generation: number;
  /** By rank. */
  readonly members: readonly GroupMember[];
  /** On all of them. */
  readonly engine: EngineFacts;
  readonly reason: string;
}

/** Hears what the group does; must not throw. */
export interface GroupObserver extends ReportListener {
  formed(formed: FormedGeneration): void;
  /** Once, after `formed` and before all reports. */
  collectiveSettled(settled: SettledCollective): void;
  blockHashes(rank: number, message: Extract<FromWorker, { kind: "blockHashes" }>): void;
}

export interface GroupResult {
  /** What computed it. */
  readonly engine: EngineFacts;
  readonly collective: "local" | CollectiveName;
  /** Whether it folded in the canonical order. */
  readonly ordered: boolean;
  readonly epochs: number;
  readonly steps: number;
  readonly weightsSha256: string;
  readonly stateSha256: string;
  /** All trainable tensors, then the running statistics; each in layer order, no padding, little-endian float32. */
  readonly weights: Uint8Array;
}

export interface GroupOptions {
  readonly spec: PlannedJobSpec;
  readonly policy: GroupPolicy;
  readonly pool: WorkerPool;
  readonly observer: GroupObserver;
  readonly log: Logger;
  /** Absent: the job's state is not saved. */
  readonly checkpoints?: CheckpointStore;
}

/**
 * The workers of one job: gives them their places in a generation, starts them together and collects their result. The first failure
 * decides, whoever it comes from, so that all name the same culprit.
 */
export class JobGroup implements Tenant {
  readonly #options: GroupOptions;
  readonly #reports: ReportOrder;
  readonly #weights = new WeightsReceiver();
  readonly #result = deferred<GroupResult>();
  readonly #checkpoints: CheckpointTraffic;
  readonly #generation = 1 as Generation;
  /** By rank. */
  #members: readonly GroupMember[] = [];
  #exchange: GroupExchange | null = null;
  #engine: EngineFacts | null = null;
  #verdict: Failure | null = null;
  #over = false;
  #failedByItself = false; // Each worker tells the steps before that in its own time; they count once all have.

  constructor(options: GroupOptions) {
    this.#options = options;
    const { policy, observer, checkpoints: store = null } = options;
    const step = (merged: MergedStep): void => {
      observer.step(merged);
      store?.stepTold(merged.step);
    };
    this.#reports = new ReportOrder(policy.workers, { step, epoch: (report) => observer.epoch(report) });
    this.#checkpoints = new CheckpointTraffic({
      job: { jobId: options.spec.jobId, generation: this.#generation },
      store,
      send: (worker, body) => (this.#over ? undefined : options.pool.send(worker, body)),
      fail: (failure) => this.fail(failure),
    });
  }

  /** The failure that ended the job, null while it runs and when it ended well. */
  get verdict(): Failure | null {
    return this.#verdict;
  }

  /** Takes the workers and starts the generation; fails the job when they have no engine for it, or can't exchange as was asked. Does nothing when it has failed already. */
  form({ workers, assignments, reason }: Formation): void {
    const { pool, policy, spec, observer } = this.#options;
    if (this.#over) return;
    const decision = chooseEngine(
      engineNeedOf(spec),
      workers.map(({ join }) => join),
    );
    if (decision.kind === "impossible") return this.fail(decision.failure);
    const { engine } = decision;
    this.#engine = engine;
    const byId = new Map(workers.map((worker) => [worker.workerId, worker]));
    this.#members = assignments.map((assignment) => {
      const worker = byId.get(assignment.workerId);
      if (worker === undefined) throw new RangeError(`${assignment.workerId} has a place, but is not there`);
      return new GroupMember(worker, assignment);
    });
    const generation = this.#generation;
    const settled = (news: SettledCollective): void => observer.collectiveSettled(news);
    const exchange = new GroupExchange({ generation, members: this.#members, policy, spec, settled });
    if (exchange.failure !== null) return this.fail(exchange.failure);
    this.#exchange = exchange;
    pool.lend(workers, this);
    this.#assign(engine, exchange);
    const reasons = [
      reason,
      ...(workers.length === 1 ? [] : [exchange.reason]),
      ...(spec.engine === "auto" ? [`engine ${engine.name}, ${decision.reason}`] : []),
    ];
    observer.formed({ generation, members: this.#members, engine, reason: reasons.join("; ") });
    exchange.begin();
  }

  /** The result, once all workers have sent theirs. @throws RingstrasseError with the first failure. */
  result(): Promise<GroupResult> {
    return this.#result.promise;
  }

  /** Ends the job with `failure`, unless it is over already. */
  fail(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    this.#verdict = failure;
    this.#result.reject(new RingstrasseError(failure));
  }

  /** Ends the job with `failure` as soon as its state is saved; at once where there is none to save, or nowhere to save it. */
  saveAndEnd(failure: SavedEnding): void {
    const worker = this.#members[0]?.worker ?? null;
    if (!this.#checkpoints.saveAndEnd(worker, failure)) this.fail(failure);
  }

  /** Gives the workers back. Resolves when each is idle again or lost. */
  async release(): Promise<void> {
    this.#over = true;
    const workers = this.#members.map(({ worker }) => worker);
    const { jobId } = this.#options.spec;
    await this.#options.pool.release(workers, { jobId, generation: this.#generation, failure: this.#verdict });
  }

  received(worker: WorkerRecord, message: FromWorker): void {
    try {
      this.#onReceived(worker, message);
    } catch (thrown) {
      this.#options.log.debug({ err: thrown }, "job group");
      this.fail(toFailure(thrown));
    }
  }

  lost(_worker: WorkerRecord, failure: Failure): void {
    this.fail(failure);
  }

  leaving(_worker: WorkerRecord, failure: SavedEnding): void {
    this.saveAndEnd(failure);
  }

  identify(worker: WorkerRecord): WorkerIdentity {
    return this.#member(worker)?.identity ?? strangerIdentity(worker);
  }

  look(nowMs: number): void {
    if (this.#over) return;
    const vitals = this.#members.map(({ worker }) => worker.vitals);
    const verdict = judgeHealth(nowMs, vitals, this.#options.policy);
    if (verdict.kind === "healthy") return;
    const culprit = this.#members.find(({ worker }) => worker.workerId === verdict.workerId);
    if (culprit === undefined) throw new Error(`no worker ${verdict.workerId}`);
    const { identity, worker } = culprit;
    this.#options.pool.condemn(
      worker,
      verdict.kind === "silent"
        ? { code: "WORKER_SILENT", ...identity, silentMs: Math.round(verdict.silentMs) }
        : { code: "WORKER_STALLED", ...identity, stalledMs: Math.round(verdict.stalledMs), phase: verdict.why },
    );
  }

  #assign(engine: EngineFacts, { links, collectives }: GroupExchange): void {
    const { pool, policy, spec } = this.#options;
    const workers = this.#members.map(({ worker }) => worker);
    for (const [rank, link] of links.entries()) {
      const worker = workers[rank];
      if (worker === undefined) throw new RangeError(`there is no rank ${rank}`);
      pool.send(worker, {
        kind: "assign",
        jobId: spec.jobId,
        generation: this.#generation,
        rank: rank as Rank,
        worldSize: workers.length,
        workersHere: workers.filter(({ join }) => join.host === worker.join.host).length,
        ...link,
        collectives: [...collectives],
        mpiMode: policy.mpiMode,
        encrypt: policy.encrypt,
        spec: { ...spec, engine: engine.name },
        ...this.#checkpoints.assigned,
        faults: [...policy.faults],
      });
    }
  }

  #onReceived(worker: WorkerRecord, message: FromWorker): void {
    const member = this.#member(worker);
    if (member === undefined || (this.#over && !(this.#failedByItself && isReport(message)))) return;
    const { rank } = member.assignment;
    switch (message.kind) {
      case "ready":
        member.ringEndpoint = message.ringEndpoint;
        member.segment = message.segment;
        member.layoutHash = message.layoutHash;
        return this.#startWhenReady();
      case "collective":
        return this.#onMeasured(member, message);
      case "steps":
        return this.#reports.steps(rank, message.reports);
      case "epoch":
        return this.#reports.epoch(message.report);
      case "blockHashes":
        return this.#options.observer.blockHashes(rank, message);
      case "weights":
        return this.#weights.add(message, `worker rank ${rank}`);
      case "checkpoint":
      case "checkpointPiece":
      case "checkpointMissed":
      case "fetchState":
        return this.#checkpoints.received(worker, rank, message);
      case "finished":
        member.finished = message;
        return this.#finishWhenAllHave();
      case "failed":
        this.#failedByItself = true;
        return this.fail(message.failure);
      case "join":
      case "heartbeat":
      case "released":
      case "leaving":
      case "leave":
        throw new Error(`${message.kind} is the pool's`);
    }
  }

  #onMeasured(member: GroupMember, { choice }: Extract<FromWorker, { kind: "collective" }>): void {
    const failure = this.#exchange?.measured(member, choice);
    if (failure) this.fail(failure);
  }

  #startWhenReady(): void {
    const { pool, spec } = this.#options;
    const ringEndpoints = this.#members.map((member) => member.ringEndpoint);
    if (!ringEndpoints.every((endpoint) => endpoint !== undefined)) return;
    const segments = this.#members.map((member) => member.segment);
    const layouts = new Set(this.#members.map((member) => member.layoutHash));
    if (layouts.size > 1)
      return this.fail(divergence("layouts", this.#members, (member) => member.layoutHash ?? "none"));
    for (const { worker } of this.#members) {
      pool.send(worker, { kind: "start", jobId: spec.jobId, generation: this.#generation, ringEndpoints, segments });
    }
  }

  #finishWhenAllHave(): void {
    const comparison = compareOutcomes(this.#members);
    if (comparison.kind === "open") return;
    if (comparison.kind === "different") return this.fail(comparison.failure);
    const { epochs, steps, weightsSha256, stateSha256 } = comparison.outcome;
    const { parameterCount } = layoutOf(this.#options.spec.model);
    const weights = this.#weights.take({ sha256: weightsSha256, hashedBytes: 4 * parameterCount }, "worker rank 0");
    this.#over = true;
    const [engine, settled] = [this.#engine, this.#exchange?.settled ?? null];
    if (engine === null || settled === null) throw new Error("a group that never formed has finished");
    const { collective, ordered } = settled;
    this.#result.resolve({ engine, collective, ordered, epochs, steps, weightsSha256, stateSha256, weights });
  }

  #member(worker: WorkerRecord): GroupMember | undefined {
    return this.#members.find((member) => member.worker === worker);
  }
}
