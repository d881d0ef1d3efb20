import { describe, expect, it } from "vitest";
import { nextPace, type WorkerPace } from "../../../../../coordinator/dashboard/stores/worker-pace.js";
import type { StepEvent } from "../../../../../shared/train-events.js";
import { stepEvent } from "../../../../support/train-events.js";

function stepOf(...computeMs: readonly number[]): StepEvent {
  const event = stepEvent(1, 1);
  const [worker] = event.workers;
  const workers = computeMs.map((ms, rank) => ({ ...worker!, rank, replicas: [rank], computeMs: ms }));
  return { ...event, workers };
}

function stateAfter(...events: readonly StepEvent[]): WorkerPace[] {
  return events.reduce<WorkerPace[]>(nextPace, []);
}

const slowRanks = (paces: readonly WorkerPace[]) => paces.filter(({ slow }) => slow).map(({ rank }) => rank);

describe("worker pace", () => {
  it("names the worker that the others wait for", () => {
    expect(slowRanks(stateAfter(stepOf(10, 10, 10, 10), stepOf(10, 11, 30, 9)))).toEqual([2]);
    expect(slowRanks(stateAfter(stepOf(10, 10), stepOf(10, 20)))).toEqual([1]);
  });

  it("names nobody while all are about as fast, differ by noise, or there is one", () => {
    expect(slowRanks(stateAfter(stepOf(10, 10, 10), stepOf(10, 11, 12)))).toEqual([]);
    expect(slowRanks(stateAfter(stepOf(0.1, 0.1), stepOf(0.1, 0.9)))).toEqual([]);
    expect(slowRanks(stateAfter(stepOf(10), stepOf(900)))).toEqual([]);
  });

  it("does not judge by a worker's first step, in which its engine gets ready", () => {
    const first = stateAfter(stepOf(10, 900));
    expect(slowRanks(first)).toEqual([]);
    expect(slowRanks(nextPace(first, stepOf(10, 10)))).toEqual([]);
  });

  it("forgives one slow step among many", () => {
    const even = stateAfter(...Array.from({ length: 20 }, () => stepOf(10, 10, 10)));
    expect(slowRanks(nextPace(even, stepOf(10, 10, 30)))).toEqual([]);
    expect(slowRanks(stateAfter(...Array.from({ length: 20 }, () => stepOf(10, 10, 30))))).toEqual([2]);
  });

  it("starts anew with a worker whose replicas have changed", () => {
    const before = stateAfter(...Array.from({ length: 20 }, () => stepOf(10, 90)));
    const changed = stepOf(10, 10);
    changed.workers[1]!.replicas = [1, 2];
    const [, second] = nextPace(before, changed);
    expect(second).toMatchObject({ steps: 1, meanComputeMs: 10, slow: false });
  });
});
