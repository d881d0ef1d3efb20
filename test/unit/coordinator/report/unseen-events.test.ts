import { describe, expect, it } from "vitest";
import { type HeardOf, unseenEvents } from "../../../../coordinator/report/unseen-events.js";
import { epochEvent, finishedEvent, startedEvent, stepEvent } from "../../../support/train-events.js";

const NOTHING: HeardOf = {
  job: { epoch: 0, step: 0, status: "INPROGRESS" },
  started: null,
  generation: null,
  collective: null,
  lastStep: null,
  result: null,
  warnings: [],
};
const generation = (number: number) => {
  const workers = [{ rank: 0, host: "node01", pid: 1, replicas: [0] }];
  return { event: "generation", generation: number, workers, reason: "all are here" } as const;
};
const failed = {
  event: "failed",
  status: "ERROR",
  code: "INTERNAL",
  message: "it broke",
  rank: null,
  host: null,
} as const;
const warning = (message: string) => ({ event: "warning", message }) as const;

describe("unseenEvents", () => {
  const run = [warning("a"), startedEvent(), generation(1), stepEvent(1, 1), stepEvent(1, 2), epochEvent(1)];

  it("takes everything for new when nothing was heard", () => {
    const all = [...run, finishedEvent(), failed];
    expect(unseenEvents(all, NOTHING)).toEqual(all);
  });

  it("takes nothing of a batch that was heard", () => {
    const heard = { ...NOTHING, warnings: ["a"], started: startedEvent(), generation: generation(1) };
    expect(unseenEvents(run, { ...heard, job: { epoch: 1, step: 2, status: "INPROGRESS" } })).toEqual([]);
  });

  it("takes the rest of a batch that was heard in part", () => {
    const job = { epoch: 0, step: 1, status: "INPROGRESS" } as const;
    const heard = { ...NOTHING, job, warnings: ["a"], started: startedEvent(), generation: generation(1) };
    expect(unseenEvents([...run, warning("b"), generation(2)], heard)).toEqual([
      stepEvent(1, 2),
      epochEvent(1),
      warning("b"),
      generation(2),
    ]);
  });

  it("goes by the last step that was told where the count lags behind", () => {
    expect(unseenEvents(run.slice(3, 5), { ...NOTHING, lastStep: stepEvent(1, 1) })).toEqual([stepEvent(1, 2)]);
  });

  it("hears of the end once", () => {
    expect(unseenEvents([finishedEvent()], { ...NOTHING, result: finishedEvent() })).toEqual([]);
    expect(unseenEvents([failed], { ...NOTHING, job: { epoch: 0, step: 0, status: "ERROR" } })).toEqual([]);
  });
});
