import type { JobStreamEvent, MetricKind, MetricRow } from "../../coordinator/store/job-record.js";
import {
  EVENTS_KEPT,
  type EventsPage,
  FREQUENT_EVENTS,
  type MetricsPage,
  type MetricsQuery,
  type RunPosition,
} from "../../coordinator/store/job-store.js";
import { isStepKept, planDisplay, STEP_ROWS_KEPT } from "../../coordinator/store/metric-thinning.js";

/** One job's curves and stream of events in memory. */
export class MemoryJobStreams {
  readonly #rows: Record<MetricKind, Map<number, MetricRow>> = { step: new Map(), epoch: new Map() };
  #events: JobStreamEvent[] = [];
  #lastEvent = 0;

  addMetrics(rows: readonly MetricRow[]): void {
    for (const row of rows) this.#rows[row.kind].set(row.kind === "step" ? row.step : row.epoch, row);
    const steps = this.#rows.step;
    const newest = [...steps.keys()].reduce((left, right) => Math.max(left, right), 0);
    for (const step of steps.keys()) if (!isStepKept(step, newest, STEP_ROWS_KEPT)) steps.delete(step);
  }

  /** @param after absent: all */
  forgetMetrics(after?: RunPosition): void {
    for (const kind of ["step", "epoch"] as const) {
      const rows = this.#rows[kind];
      for (const position of rows.keys()) if (after === undefined || position > after[kind]) rows.delete(position);
    }
  }

  metrics({ kind, from, limit, downsample }: MetricsQuery): MetricsPage {
    const rows = [...this.#rows[kind ?? "step"]].filter(([position]) => position >= (from ?? 0));
    rows.sort(([left], [right]) => left - right);
    const [first] = rows;
    const end = rows.at(-1);
    if (first === undefined || end === undefined) return { rows: [], next: null };
    const last = end[0];
    const plan = downsample === true ? planDisplay(first[0], last, limit) : { from: first[0], stride: 1 };
    const shown = rows
      .filter(([position]) => position >= plan.from && (position % plan.stride === 0 || position === last))
      .slice(0, limit);
    const reached = shown.at(-1)?.[0] ?? last;
    return { rows: shown.map(([, row]) => row), next: reached < last ? reached + 1 : null };
  }

  addEvent(event: Omit<JobStreamEvent, "sequence">): JobStreamEvent {
    this.#lastEvent++;
    const numbered = { sequence: this.#lastEvent, ...event };
    this.#events.push(numbered);
    // Cut back now and then: moving the rest costs as much as there are.
    if (this.#events.length > 4 * EVENTS_KEPT) this.#events = this.#kept();
    return numbered;
  }

  get lastEventNumber(): number {
    return this.#lastEvent;
  }

  events(afterSequence: number, limit: number): EventsPage {
    const events = this.#kept()
      .filter(({ sequence }) => sequence > afterSequence)
      .slice(0, limit);
    const last = events.at(-1);
    return { events, complete: last === undefined || last.sequence === afterSequence + events.length };
  }

  latestEvents(kinds: readonly string[], limit: number): JobStreamEvent[] {
    return this.#kept()
      .filter(({ kind }) => kinds.includes(kind))
      .reverse()
      .slice(0, limit);
  }

  #kept(): JobStreamEvent[] {
    const isRecent = ({ sequence }: JobStreamEvent) => sequence > this.#lastEvent - EVENTS_KEPT;
    const rare = this.#events.filter((event) => !isRecent(event) && !FREQUENT_EVENTS.includes(event.kind));
    return [...rare.slice(-EVENTS_KEPT), ...this.#events.filter(isRecent)];
  }
}
