import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventQueue } from "../../../../coordinator/report/event-queue.js";
import type { TrainEvent } from "../../../../shared/train-events.js";
import { epochEvent, startedEvent, stepEvent } from "../../../support/train-events.js";

const ALL = { events: 1_000_000, bytes: 1_000_000_000 };
const steps = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.event === "step" ? [event.step] : []));

describe("EventQueue", () => {
  it("gives events back in their order, as many as fit", () => {
    const queue = new EventQueue({ keptOfKind: 10 });
    const events = [startedEvent(), stepEvent(1, 1), stepEvent(1, 2), epochEvent(1)];
    for (const event of events) queue.push(event);

    expect(queue.take({ events: 3, bytes: ALL.bytes })).toEqual(events.slice(0, 3));
    expect(queue.length).toBe(1);
    expect(queue.take(ALL)).toEqual([events[3]]);
    expect(queue.take(ALL)).toEqual([]);
  });

  it("keeps batches below a size, but never gives less than one event", () => {
    const queue = new EventQueue({ keptOfKind: 10 });
    for (let step = 1; step <= 4; step++) queue.push(stepEvent(1, step));
    const size = Buffer.byteLength(JSON.stringify(stepEvent(1, 1))) + 2;

    expect(steps(queue.take({ events: 10, bytes: 2 * size }))).toEqual([1, 2]);
    expect(steps(queue.take({ events: 10, bytes: 1 }))).toEqual([3]);
  });

  it("leaves out every second step when too many wait, and counts them", () => {
    const queue = new EventQueue({ keptOfKind: 8 });
    queue.push(startedEvent());
    for (let step = 1; step <= 9; step++) queue.push(stepEvent(1, step));
    queue.push(epochEvent(1));

    const kept = queue.take(ALL);

    expect(steps(kept)).toEqual([1, 3, 5, 7, 9]);
    expect(kept.map(({ event }) => event).filter((name) => name !== "step")).toEqual(["started", "epoch"]);
    expect(queue.leftOut).toEqual({ step: 4, epoch: 0 });
  });

  it("is bounded, keeps the newest step, the order and everything that is neither step nor epoch, whatever comes", () => {
    const kinds = fc.array(fc.constantFrom("step", "epoch", "warning", "take"), { maxLength: 300 });
    fc.assert(
      fc.property(kinds, fc.integer({ min: 1, max: 12 }), (arrivals, keptOfKind) => {
        const queue = new EventQueue({ keptOfKind });
        const taken: TrainEvent[] = [];
        let [step, epoch, warning] = [0, 0, 0];
        for (const kind of arrivals) {
          if (kind === "step") queue.push(stepEvent(1, ++step));
          if (kind === "epoch") queue.push(epochEvent(++epoch));
          if (kind === "warning") queue.push({ event: "warning", message: String(++warning) });
          if (kind === "take") taken.push(...queue.take({ events: 3, bytes: ALL.bytes }));
          expect(queue.length).toBeLessThanOrEqual(2 * keptOfKind + warning);
        }
        taken.push(...queue.take(ALL));
        const heard = steps(taken);
        expect(heard).toEqual([...heard].sort((left, right) => left - right));
        expect(heard.at(-1)).toBe(step === 0 ? undefined : step);
        expect(heard.length + queue.leftOut.step).toBe(step);
        expect(taken.filter(({ event }) => event === "epoch").length + queue.leftOut.epoch).toBe(epoch);
        expect(taken.filter(({ event }) => event === "warning")).toHaveLength(warning);
      }),
    );
  });
});
