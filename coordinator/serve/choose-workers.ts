import { ENGINE_PREFERENCE } from "../../shared/engine-name.js";
import { hasPrecision } from "../../shared/engine-precision.js";
import type { Failure } from "../../shared/failure.js";
import type { EngineFacts } from "../../shared/protocol/control-message.js";
import { chooseEngine, type EngineNeed } from "../group/choose-engine.js";
import { areAlike } from "../group/engine-compatibility.js";
import type { WorkerRecord } from "../group/worker-record.js";
import type { Capacity } from "../service/training-ground.js";
import type { WorkersWanted } from "../store/job-record.js";

/** Workers that have an engine, and have it alike: they may train together with it. */
export interface EngineGroup {
  readonly engine: EngineFacts;
  readonly workers: readonly WorkerRecord[];
}

/** For each engine that somebody has: who has it alike. The fastest engines first, of one engine the largest group. Pure. */
export function engineGroups(workers: readonly WorkerRecord[]): EngineGroup[] {
  const groups: { engine: EngineFacts; workers: WorkerRecord[] }[] = [];
  for (const worker of workers) {
    for (const engine of worker.join.engines) {
      const fitting = groups.find((group) => areAlike(group.engine, engine));
      if (fitting === undefined) groups.push({ engine, workers: [worker] });
      else fitting.workers.push(worker);
    }
  }
  const order = ({ engine }: EngineGroup) => ENGINE_PREFERENCE.indexOf(engine.name);
  return groups.sort((a, b) => order(a) - order(b) || b.workers.length - a.workers.length);
}

/**
 * The workers that may train together, out of all that are here: those of the largest set with one engine, version and instruction
 * set. Of two sets equally large the one with the faster engine, then the one that was there first. Pure. Cost: O(workers × sets).
 */
export function compatibleWorkers(workers: readonly WorkerRecord[]): readonly WorkerRecord[] {
  return engineGroups(workers).reduce<readonly WorkerRecord[]>(
    (largest, group) => (group.workers.length > largest.length ? group.workers : largest),
    [],
  );
}

/**
 * Who could train a job together, and how many of them are free at once: workers of a set that is large enough and has the job's engine
 * alike. Where none is, those of the largest set at all: the job's run then says by name what is missing. {@link chooseWorkers} finds
 * `idle` workers whenever those are enough. Pure. Cost: O(workers × sets).
 */
export function workersFor(
  wanted: WorkersWanted,
  here: readonly WorkerRecord[],
  isFree: (worker: WorkerRecord) => boolean,
): Capacity {
  const fitting = engineGroups(here)
    .filter(fits(wanted))
    .filter(({ workers }) => workers.length >= wanted.min)
    .map(({ workers }) => workers);
  const sets = fitting.length === 0 ? [compatibleWorkers(here)] : fitting;
  const largest = (sizes: readonly number[]) => Math.max(0, ...sizes);
  return {
    present: largest(sets.map((workers) => workers.length)),
    idle: largest(sets.map((workers) => workers.filter(isFree).length)),
  };
}

/** Whether the workers of a set have what a job is to be computed with. */
function fits({ engine: wish, threads, precision }: EngineNeed): (group: EngineGroup) => boolean {
  return ({ engine }) =>
    engine.threads === threads && hasPrecision(engine.name, precision) && (wish === "auto" || engine.name === wish);
}

export type WorkerDecision =
  | { readonly kind: "chosen"; readonly workers: readonly WorkerRecord[]; readonly engine: EngineFacts }
  /** Enough workers have what the job needs, but too few of them are idle. */
  | { readonly kind: "busy"; readonly idle: number }
  /** No such workers are here. */
  | { readonly kind: "impossible"; readonly failure: Failure };

export interface WorkersNeeded extends EngineNeed {
  readonly count: number;
}

/**
 * Which of the workers a job gets: idle ones that have the engine it asks for, alike; with `auto` the fastest engine that enough of
 * the idle ones have. Pure. Cost: O(workers × engines).
 */
export function chooseWorkers(
  need: WorkersNeeded,
  here: readonly WorkerRecord[],
  isFree: (worker: WorkerRecord) => boolean,
): WorkerDecision {
  const groups = engineGroups(here).filter(fits(need));
  const idle = groups.map(({ engine, workers }) => ({ engine, workers: workers.filter(isFree) }));
  const found = idle.find(({ workers }) => workers.length >= need.count);
  if (found !== undefined) {
    return { kind: "chosen", engine: found.engine, workers: fromFewHosts(found.workers, need.count) };
  }
  const isEnough = groups.some(({ workers }) => workers.length >= need.count);
  if (isEnough || here.length === 0) {
    return { kind: "busy", idle: Math.max(0, ...idle.map(({ workers }) => workers.length)) };
  }
  const decision = chooseEngine(
    need,
    here.map(({ join }) => join),
  );
  if (decision.kind === "impossible") return decision;
  return { kind: "busy", idle: Math.max(0, ...idle.map(({ workers }) => workers.length)) };
}

/** As many as possible from as few hosts as possible, so that most hops of the ring stay inside a host. */
function fromFewHosts(idle: readonly WorkerRecord[], count: number): readonly WorkerRecord[] {
  const byHost = new Map<string, WorkerRecord[]>();
  for (const worker of idle) byHost.set(worker.join.host, [...(byHost.get(worker.join.host) ?? []), worker]);
  const hosts = [...byHost.values()];
  // The smallest host that has room for all; else the largest first.
  const alone = hosts.filter((host) => host.length >= count).sort((a, b) => a.length - b.length)[0];
  const chosen = alone ?? hosts.sort((a, b) => b.length - a.length).flat();
  return chosen.slice(0, count);
}
