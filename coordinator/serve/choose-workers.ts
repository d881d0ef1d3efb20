import { findMixture } from "../group/engine-compatibility.js";
import type { WorkerRecord } from "../group/worker-record.js";

/**
 * The workers that may train together, out of all that are here: those of the largest set with one engine, version and instruction
 * set. Of two sets equally large the one that was there first. Pure. Cost: O(workers × sets).
 */
export function compatibleWorkers(workers: readonly WorkerRecord[]): readonly WorkerRecord[] {
  const sets: WorkerRecord[][] = [];
  for (const worker of workers) {
    const fitting = sets.find(([first]) => first !== undefined && findMixture(first.join, worker.join) === null);
    if (fitting === undefined) sets.push([worker]);
    else fitting.push(worker);
  }
  return sets.reduce<readonly WorkerRecord[]>((largest, set) => (set.length > largest.length ? set : largest), []);
}

/**
 * Which of the idle workers a job gets: as many as possible from as few hosts as possible, so that most hops of its ring stay inside
 * a host. Pure. @returns null when there are fewer than `count`
 */
export function chooseWorkers(idle: readonly WorkerRecord[], count: number): readonly WorkerRecord[] | null {
  if (idle.length < count) return null;
  const byHost = new Map<string, WorkerRecord[]>();
  for (const worker of idle) byHost.set(worker.join.host, [...(byHost.get(worker.join.host) ?? []), worker]);
  const hosts = [...byHost.values()];
  // The smallest host that has room for all; else the largest first.
  const alone = hosts.filter((host) => host.length >= count).sort((a, b) => a.length - b.length)[0];
  const chosen = alone ?? hosts.sort((a, b) => b.length - a.length).flat();
  return chosen.slice(0, count);
}
