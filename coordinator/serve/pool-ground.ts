import type { ClusterWorker } from "../../shared/api/cluster.js";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { Logger } from "../../shared/logger.js";
import type { EngineFacts } from "../../shared/protocol/control-message.js";
import { unreachable } from "../../shared/unreachable.js";
import { engineNeedOf } from "../group/choose-engine.js";
import { type GroupResult, JobGroup } from "../group/job-group.js";
import { decideMembership } from "../group/membership.js";
import type { PoolListener, WorkerPool } from "../group/worker-pool.js";
import type { WorkerRecord } from "../group/worker-record.js";
import { checkpointKeeperOf } from "../job/checkpoint-keeper-of.js";
import type { JobEvents } from "../job/job-events.js";
import { keepRun } from "../job/keep-run.js";
import { failureOf } from "../job/run-job.js";
import type { TrainingRun } from "../job/training-run.js";
import type { Capacity, RunSurroundings, TrainedRun, TrainingGround } from "../service/training-ground.js";
import type { WorkersWanted } from "../store/job-record.js";
import { chooseWorkers, type WorkerDecision, workersFor } from "./choose-workers.js";
import { Reservations } from "./reservations.js";

/** How long people see a worker that is lost. */
const LOST_SHOWN_MS = 60_000;
const MAX_LOST_SHOWN = 100;

/** Workers that a run has chosen. */
interface Reserved {
  readonly workers: readonly WorkerRecord[];
  /** They are taken, or no longer wanted. */
  readonly free: () => void;
}

interface LostWorker {
  readonly worker: WorkerRecord;
  readonly atMs: number;
}

/** Trains the service's jobs on one pool of workers, side by side. */
export class PoolGround implements TrainingGround, PoolListener {
  readonly #log: Logger;
  readonly #listeners: (() => void)[] = [];
  /** Chosen for a run that has not taken them yet. */
  readonly #reserved = new Reservations<WorkerRecord>();
  readonly #groups = new Map<JobGroup, TrainingRun>();
  #lost: LostWorker[] = [];
  #pool: WorkerPool | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The pool that this listens to. */
  attach(pool: WorkerPool): void {
    this.#pool = pool;
  }

  capacity(wanted: WorkersWanted): Capacity {
    const { workers, expected } = this.#requirePool();
    const { present, idle } = workersFor(wanted, workers, (worker) => this.#isFree(worker));
    // Those that were launched a moment ago count as present: jobs need not be told that they wait for them.
    return { present: present + expected.length, idle };
  }

  onCapacityChanged(listener: () => void): void {
    this.#listeners.push(listener);
  }

  workers(): readonly ClusterWorker[] {
    const pool = this.#requirePool();
    const nowMs = pool.now();
    this.#lost = this.#lost.filter(({ atMs }) => nowMs - atMs < LOST_SHOWN_MS);
    const here = pool.workers.map((worker) => this.#describe(worker, nowMs));
    const lost = this.#lost.filter(({ worker }) => !here.some(({ id }) => id === worker.workerId));
    return [...here, ...lost.map(({ worker }) => this.#describe(worker, nowMs))];
  }

  async train(run: TrainingRun, around: RunSurroundings): Promise<TrainedRun | null> {
    const chosen = this.#choose(run);
    if (chosen === null) return null;
    const { workers, engine } = chosen;
    const reservation = this.#reserved.reserve(workers);
    const free = (): void => {
      if (reservation.free()) this.#changed();
    };
    try {
      const isLocal = workers.every((worker) => worker.launched !== null);
      const transport = run.policy.workers === 1 || isLocal ? "ipc" : "tcp";
      const policy = { ...run.policy, transport } as const;
      const placed = placedRun({ ...run, policy }, engine);
      return await keepRun(placed, around.emit, (events) => this.#trainOn({ workers, free }, placed, events, around));
    } catch (thrown) {
      if (!(thrown instanceof WorkersGone)) throw thrown;
      this.#log.info({ jobId: run.spec.jobId, err: thrown }, "job not started: it waits for another worker");
      return null;
    } finally {
      // Others may have reserved the same workers since.
      free();
    }
  }

  idle(): void {
    this.#changed();
  }

  lost(failure: Failure, worker: WorkerRecord | null): void {
    this.#log.warn({ failure }, "worker lost");
    if (worker !== null)
      this.#lost = [...this.#lost, { worker, atMs: this.#requirePool().now() }].slice(-MAX_LOST_SHOWN);
    this.#changed();
  }

  broken(failure: Failure): void {
    this.#log.error({ failure }, "worker pool");
  }

  async #trainOn(
    { workers, free }: Reserved,
    run: TrainingRun,
    events: JobEvents,
    { emit, signal, onStop }: RunSurroundings,
  ): Promise<GroupResult> {
    const { spec, policy } = run;
    await using checkpoints = checkpointKeeperOf(run, events, emit);
    const group = new JobGroup({
      spec,
      policy,
      pool: this.#requirePool(),
      observer: events,
      log: this.#log,
      checkpoints,
    });
    const interrupt = (): void => group.fail(failureOf(signal));
    using _stop = onStop((failure) => group.saveAndEnd(failure));
    signal.addEventListener("abort", interrupt, { once: true });
    events.onBroken((failure) => group.fail(failure));
    this.#groups.set(group, run);
    try {
      if (signal.aborted) interrupt();
      const gone = workers.find((worker) => worker.state !== "idle");
      if (gone !== undefined)
        throw new WorkersGone(`worker ${gone.workerId} was lost before the job could start on it`);
      const members = workers.map((worker) => worker.member);
      const decision = decideMembership(0, members, { ...policy, replicas: spec.replicas });
      if (decision.kind !== "form") throw new Error(decision.reason);
      group.form({ workers, assignments: decision.assignments, reason: decision.reason });
      free();
      return await group.result();
    } finally {
      signal.removeEventListener("abort", interrupt);
      await group.release();
      this.#groups.delete(group);
    }
  }

  /** Null: too few are idle. */
  #choose({ spec, policy }: TrainingRun): Extract<WorkerDecision, { kind: "chosen" }> | null {
    const need = { count: policy.workers, ...engineNeedOf(spec) };
    const decision = chooseWorkers(need, this.#requirePool().workers, (worker) => this.#isFree(worker));
    switch (decision.kind) {
      case "chosen":
        return decision;
      case "busy":
        return null;
      case "impossible":
        throw new RingstrasseError(decision.failure);
      default:
        return unreachable(decision);
    }
  }

  #isFree(worker: WorkerRecord): boolean {
    return worker.state === "idle" && !this.#reserved.has(worker);
  }

  #describe(worker: WorkerRecord, nowMs: number): ClusterWorker {
    const { join, state, vitals } = worker;
    const [group, run] = [...this.#groups].find(([candidate]) => candidate.identify(worker).rank !== null) ?? [];
    const identity = state === "lent" ? group?.identify(worker) : undefined;
    return {
      id: worker.workerId,
      host: join.host,
      pid: join.pid,
      state: state === "lost" ? "lost" : this.#isFree(worker) ? "idle" : "busy",
      jobId: identity === undefined ? null : (run?.spec.jobId ?? null),
      rank: identity?.rank ?? null,
      replicas: [...(identity?.replicas ?? [])],
      engine: join.engines.map(({ name, version }) => `${name} ${version}`).join(", "),
      lastHeartbeatMs: Math.max(0, nowMs - vitals.lastHeartbeatMs),
      step: identity?.step ?? null,
    };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #requirePool(): WorkerPool {
    if (this.#pool === null) throw new Error("no pool is attached");
    return this.#pool;
  }
}

/** Nobody has been told of the run yet. */
class WorkersGone extends Error {}

/** The run with what was settled by the workers that it got. */
function placedRun(run: TrainingRun, { name }: EngineFacts): TrainingRun {
  const { spec, policy, configuration } = run;
  const reason = spec.engine === "auto" ? "the fastest that enough idle workers have" : "it was asked for";
  const settled = { transport: policy.transport, engine: name, engineReason: configuration["engineReason"] ?? reason };
  return { ...run, spec: { ...spec, engine: name }, configuration: { ...configuration, ...settled } };
}
