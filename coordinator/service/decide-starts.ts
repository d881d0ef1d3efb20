import type { WorkerRange } from "../job/settle-workers.js";
import type { Capacity } from "./training-ground.js";

/** A job that waits for workers. */
export interface WaitingJob<Id> {
  readonly id: Id;
  readonly wanted: WorkerRange;
  /** Of workers that it can run on. */
  readonly capacity: Capacity;
}

export interface StartDecisions<Id> {
  readonly starts: readonly { readonly id: Id; readonly workers: number }[];
  /** Jobs that need more workers than there are at all: passed over until more have joined. */
  readonly passedOver: readonly Id[];
  /** Workers that those which start will have, all together. */
  readonly taken: number;
  /** A job waits for workers that others have, or for the first worker of all: nobody behind it may start. */
  readonly isHeld: boolean;
}

/**
 * Which of the waiting jobs start now, and on how many workers. Jobs are looked at in the order of the queue; each takes as many idle
 * workers as it may. Nobody overtakes a job that waits for others to end, so none starves; only a job that could not start even on
 * all workers that are here is passed over. While nobody is here, nothing can be said of anybody. A worker with several engines is among
 * those of several jobs, so one that starts is taken to have any of them. Pure; O(jobs).
 *
 * @param queue in the order in which jobs should start; may be the beginning of it: without `isHeld`, go on with `taken` fewer idle
 */
export function decideStarts<Id>(queue: Iterable<WaitingJob<Id>>): StartDecisions<Id> {
  const starts: { id: Id; workers: number }[] = [];
  const passedOver: Id[] = [];
  let taken = 0;
  for (const { id, wanted, capacity } of queue) {
    if (capacity.present === 0) return { starts, passedOver, taken, isHeld: true };
    if (wanted.min > capacity.present) {
      passedOver.push(id);
      continue;
    }
    const left = capacity.idle - taken;
    if (wanted.min > left) return { starts, passedOver, taken, isHeld: true };
    const workers = Math.min(wanted.max, left);
    starts.push({ id, workers });
    taken += workers;
  }
  return { starts, passedOver, taken, isHeld: false };
}
