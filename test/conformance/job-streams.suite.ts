import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MetricRow } from "../../coordinator/store/job-record.js";
import { EVENTS_KEPT, type JobStore } from "../../coordinator/store/job-store.js";
import { isStepKept, STEP_ROWS_KEPT } from "../../coordinator/store/metric-thinning.js";
import type { JobId } from "../../shared/ids.js";
import { failureOf } from "../support/failure-of.js";
import type { JobStoreKind } from "../support/open-job-store.js";

const step = (at: number, values: MetricRow["values"] = { loss: 1 / (at + 1) }): MetricRow => {
  return { kind: "step", epoch: Math.floor(at / 10), step: at, at: 1000 + at, values };
};
const epoch = (at: number): MetricRow => ({
  kind: "epoch",
  epoch: at,
  step: at * 10,
  at: 1000,
  values: { trainLoss: at },
});
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** What every {@link JobStore} promises of metrics and events. */
export function jobStreamsSuite(kind: JobStoreKind): void {
  describe(`metrics and events in a ${kind.name} store`, () => {
    let store: JobStore;
    let id: JobId;
    beforeEach(async () => {
      store = await kind.open(() => 5);
      ({ id } = await store.create({ document: { json: "{}", xml: null } }));
    });
    afterEach(() => store[Symbol.asyncDispose]());

    const allSteps = async (job = id): Promise<MetricRow[]> => {
      const rows: MetricRow[] = [];
      let from: number | null = 0;
      while (from !== null) {
        const page = await store.metrics(job, { from, limit: 1000 });
        rows.push(...page.rows);
        from = page.next;
      }
      return rows;
    };

    it("keeps every number as it is, NaN and infinities too", async () => {
      const values = { a: Number.NaN, b: Infinity, c: -Infinity, d: -0, e: 5e-324, f: 0.1 + 0.2, g: null, h: 2 ** 60 };
      const rows = [step(0, values), { ...epoch(0), values }];
      await store.addMetrics(id, rows);
      expect(await store.metrics(id, { limit: 10 })).toEqual({ rows: [rows[0]], next: null });
      expect(await store.metrics(id, { kind: "epoch", limit: 10 })).toEqual({ rows: [rows[1]], next: null });
    });

    it("keeps any finite numbers under any names", async () => {
      const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/);
      await fc.assert(
        fc.asyncProperty(fc.dictionary(name, fc.double(), { noNullPrototype: true }), async (values) => {
          await store.addMetrics(id, [step(3, values)]);
          expect((await store.metrics(id, { from: 3, limit: 1 })).rows).toEqual([step(3, values)]);
        }),
        { numRuns: 100 },
      );
    });

    it("pages through rows in the order of steps, wherever one begins", async () => {
      await store.addMetrics(id, [step(5), step(1), step(3)]);
      await store.addMetrics(id, [step(4), step(2)]);
      expect(await store.metrics(id, { limit: 2 })).toEqual({ rows: [step(1), step(2)], next: 3 });
      expect(await store.metrics(id, { limit: 2, from: 3 })).toEqual({ rows: [step(3), step(4)], next: 5 });
      expect(await store.metrics(id, { limit: 2, from: 5 })).toEqual({ rows: [step(5)], next: null });
      expect(await store.metrics(id, { limit: 2, from: 6 })).toEqual({ rows: [], next: null });
      expect(await store.metrics(id, { limit: 2, kind: "epoch" })).toEqual({ rows: [], next: null });
    });

    it("replaces the row of a step that is done again", async () => {
      await store.addMetrics(id, [step(1), step(2), epoch(1)]);
      await store.addMetrics(id, [step(2, { loss: 9 }), { ...epoch(1), values: { trainLoss: 9 } }]);
      expect(await allSteps()).toEqual([step(1), step(2, { loss: 9 })]);
      expect((await store.metrics(id, { kind: "epoch", limit: 9 })).rows).toMatchObject([{ values: { trainLoss: 9 } }]);
    });

    it("begins anew with every start, and keeps them when queued again", async () => {
      await store.transition(id, "queue");
      await store.claim(id);
      await store.addMetrics(id, [step(0), epoch(0)]);
      await store.transition(id, "finish");
      await store.transition(id, "queue");
      expect(await allSteps()).toEqual([step(0)]);
      await store.claim(id);
      expect(await allSteps()).toEqual([]);
      expect((await store.metrics(id, { kind: "epoch", limit: 9 })).rows).toEqual([]);
    });

    it("keeps them at a start that is told to, and forgets what lies behind where it goes on", async () => {
      await store.transition(id, "queue");
      await store.claim(id);
      await store.addMetrics(id, [step(1), step(2), epoch(1), step(3), step(4), epoch(2), step(5)]);
      await store.transition(id, "fail");
      await store.transition(id, "queue");
      await store.claim(id, { keepsMetrics: true });
      expect(await allSteps()).toEqual([1, 2, 3, 4, 5].map((at) => step(at)));
      await store.forgetMetrics(id, { epoch: 1, step: 3 });
      await store.addMetrics(id, [step(4, { loss: 9 })]);
      expect(await allSteps()).toEqual([step(1), step(2), step(3), step(4, { loss: 9 })]);
      expect((await store.metrics(id, { kind: "epoch", limit: 9 })).rows).toEqual([epoch(1)]);
      expect(await failureOf(() => store.forgetMetrics(id, { epoch: -1, step: 0 }))).toMatchObject({ option: "epoch" });
    });

    it("keeps jobs apart", async () => {
      const other = await store.create({ document: { json: "{}", xml: null } });
      await store.addMetrics(id, [step(1)]);
      await store.addMetrics(other.id, [step(2)]);
      await store.addEvent(other.id, { kind: "a", data: "1" });
      expect(await allSteps()).toEqual([step(1)]);
      expect(await allSteps(other.id)).toEqual([step(2)]);
      expect((await store.events(id, 0, 10)).events).toEqual([]);
      await store.delete(other.id);
      expect(await allSteps()).toEqual([step(1)]);
    });

    it("thins long runs as the rule says, in whatever portions they come, and keeps all epochs", async () => {
      const steps = range(0, 20_000);
      for (let from = 0; from < steps.length; ) {
        const to = from + 1 + ((from * 7) % 1999);
        await store.addMetrics(
          id,
          steps.slice(from, to).map((at) => step(at)),
        );
        from = to;
      }
      await store.addMetrics(id, range(0, 3000).map(epoch));
      const expected = steps.filter((at) => isStepKept(at, 19_999, STEP_ROWS_KEPT));
      expect(expected.length).toBeLessThanOrEqual(STEP_ROWS_KEPT.history + STEP_ROWS_KEPT.recent);
      expect((await allSteps()).map((row) => row.step)).toEqual(expected);
      await store.addMetrics(id, [step(4097), step(4096)]);
      expect((await allSteps()).map((row) => row.step)).toEqual(expected);
      expect((await store.metrics(id, { kind: "epoch", limit: 10_000 })).rows).toHaveLength(3000);
    });

    it("spreads a picture's rows over the whole range, the latest among them", async () => {
      await store.addMetrics(
        id,
        range(3, 904).map((at) => step(at)),
      );
      for (const limit of [1, 2, 3, 10, 100, 901, 5000]) {
        const { rows, next } = await store.metrics(id, { limit, downsample: true });
        const steps = rows.map((row) => row.step);
        expect(next).toBe(null);
        expect(steps.at(-1)).toBe(903);
        expect(steps.length).toBeLessThanOrEqual(limit);
        if (limit >= 10) expect(steps.length).toBeGreaterThan(Math.min(901, limit) / 2 - 1);
        expect(steps).toEqual([...new Set(steps)].sort((left, right) => left - right));
      }
      const late = await store.metrics(id, { from: 900, limit: 10, downsample: true });
      expect(late.rows.map((row) => row.step)).toEqual([900, 901, 902, 903]);
    });

    it.each([
      ["limit", () => store.metrics(id, { limit: 0 })],
      ["limit", () => store.metrics(id, { limit: 10_001 })],
      ["from", () => store.metrics(id, { from: -1, limit: 1 })],
      ["step", () => store.addMetrics(id, [step(0), { ...step(1), step: 0.5 }])],
      ["epoch", () => store.addMetrics(id, [{ ...epoch(0), epoch: -1 }])],
      ["metric", () => store.addMetrics(id, [step(0, { __proto__: null, "0 loss": 1 } as MetricRow["values"])])],
      ["event", () => store.addEvent(id, { kind: "two\nlines", data: "{}" })],
      ["limit", () => store.events(id, 0, 0)],
      ["afterSequence", () => store.events(id, -1, 1)],
    ])("refuses a wrong %s, and keeps nothing", async (option, call) => {
      expect(await failureOf(call)).toMatchObject({ code: "USAGE", option });
      expect(await allSteps()).toEqual([]);
      expect((await store.events(id, 0, 1)).events).toEqual([]);
    });

    it("numbers events from 1, and gives those after a number", async () => {
      expect(await store.events(id, 0, 10)).toEqual({ events: [], complete: true });
      const data = '{"text":"ä \u0000 𝒳"}';
      const added = await Promise.all(["a", "b", "c"].map((name) => store.addEvent(id, { kind: name, data })));
      expect(added).toEqual(["a", "b", "c"].map((name, index) => ({ sequence: index + 1, at: 5, kind: name, data })));
      expect(await store.events(id, 0, 10)).toEqual({ events: added, complete: true });
      expect(await store.events(id, 1, 1)).toEqual({ events: [added[1]], complete: true });
      expect(await store.events(id, 3, 10)).toEqual({ events: [], complete: true });
    });

    it("goes on numbering over runs, forgets the oldest, and says so", async () => {
      const total = 2 * EVENTS_KEPT + 5;
      for (let from = 0; from < total; from += 1000) {
        const portion = range(from, Math.min(total, from + 1000));
        await Promise.all(portion.map((at) => store.addEvent(id, { kind: "step", data: String(at + 1) })));
      }
      await store.transition(id, "queue");
      await store.claim(id);
      const { events, complete } = await store.events(id, 0, 10_000);
      expect(complete).toBe(false);
      expect(events).toHaveLength(EVENTS_KEPT);
      expect(events[0]).toMatchObject({ sequence: total - EVENTS_KEPT + 1, data: String(total - EVENTS_KEPT + 1) });
      expect(await store.events(id, total - 2, 10)).toMatchObject({
        complete: true,
        events: [{ sequence: total - 1 }, { sequence: total }],
      });
      expect(await store.addEvent(id, { kind: "more", data: "{}" })).toMatchObject({ sequence: total + 1 });
    });

    it("takes several events at once, all or none, without a gap beside those of others", async () => {
      const events = (name: string) => range(0, 5).map((at) => ({ kind: name, data: String(at) }));
      const [first, second] = await Promise.all([store.addEvents(id, events("a")), store.addEvents(id, events("b"))]);
      expect(first?.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
      expect(second?.map(({ sequence }) => sequence)).toEqual([6, 7, 8, 9, 10]);
      expect(await store.addEvents(id, [])).toEqual([]);
      const wrong = () => store.addEvents(id, [...events("c"), { kind: "no kind", data: "" }]);
      expect(await failureOf(wrong)).toMatchObject({ code: "USAGE", option: "event" });
      expect((await store.events(id, 0, 100)).events).toEqual([...first, ...second]);
      expect(await store.lastEventNumber(id)).toBe(10);
    });

    it("gives the latest events of some kinds, and keeps rare ones when many frequent ones have come", async () => {
      await store.addEvents(id, [
        { kind: "started", data: "1" },
        { kind: "warning", data: "2" },
      ]);
      for (let from = 0; from < EVENTS_KEPT + 1000; from += 1000) {
        await store.addEvents(
          id,
          range(from, from + 1000).map((at) => ({ kind: at % 2 === 0 ? "step" : "epoch", data: String(at) })),
        );
      }
      await store.addEvent(id, { kind: "warning", data: "3" });
      const warnings = await store.latestEvents(id, ["warning", "started"], 10);
      expect(warnings.map(({ data }) => data)).toEqual(["3", "2", "1"]);
      expect((await store.latestEvents(id, ["warning"], 1)).map(({ data }) => data)).toEqual(["3"]);
      expect(await store.latestEvents(id, ["other"], 1)).toEqual([]);
      const { events, complete } = await store.events(id, 0, 10_000);
      expect(complete).toBe(false);
      expect(events.slice(0, 2).map(({ sequence }) => sequence)).toEqual([1, 2]);
      expect(events[2]?.sequence).toBe((await store.lastEventNumber(id)) - EVENTS_KEPT + 1);
    });

    it("does not keep rare events without bound either", async () => {
      for (let from = 0; from < 3 * EVENTS_KEPT; from += 1000) {
        await store.addEvents(
          id,
          range(from, from + 1000).map((at) => ({ kind: "warning", data: String(at) })),
        );
      }
      const first = await store.events(id, 0, 1);
      expect(first.events[0]?.sequence).toBe(EVENTS_KEPT + 1);
    });
  });
}
