import type { JobStreamEvent, MetricKind, MetricRow } from "./job-record.js";
import { EventRowSchema, NumberRowSchema, RangeRowSchema, StoredMetricSchema } from "./job-rows.js";
import {
  EVENTS_KEPT,
  type EventsPage,
  FREQUENT_EVENTS,
  type MetricsPage,
  type MetricsQuery,
  type RunPosition,
} from "./job-store.js";
import type { LibsqlDatabase } from "./libsql-database.js";
import { encodeMetricRow } from "./metric-row-text.js";
import { historyStride, isStepKept, planDisplay, STEP_ROWS_KEPT } from "./metric-thinning.js";

const NEWEST = "SELECT max(position) AS value FROM metrics WHERE job = ? AND kind = ?";
const RANGE =
  "SELECT min(position) AS first, max(position) AS last FROM metrics WHERE job = ? AND kind = ? AND position >= ?";
const INSERT = "INSERT OR REPLACE INTO metrics (job, kind, position, body) VALUES (?, ?, ?, ?)";
const THIN = `DELETE FROM metrics
  WHERE job = ? AND kind = 'step' AND position > ? AND position <= ? AND position % ? <> 0`;
export const SELECT_METRICS = `SELECT body FROM metrics
  WHERE job = ? AND kind = ? AND position >= ? AND (position % ? = 0 OR position = ?) ORDER BY position LIMIT ?`;
export const SELECT_EVENTS =
  "SELECT sequence, at, kind, data FROM events WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?";
const FORGET_FREQUENT = `DELETE FROM events
  WHERE job = ? AND sequence <= ? AND kind IN (${FREQUENT_EVENTS.map((kind) => `'${kind}'`).join(", ")})`;
/** Older rare events beyond the latest so many. */
const FORGET_RARE = `DELETE FROM events WHERE job = ? AND sequence <= (
    SELECT sequence FROM events WHERE job = ? AND sequence <= ? ORDER BY sequence DESC LIMIT 1 OFFSET ?
  )`;

/** A job's curves and stream of events in the database, by the job's number. Changes only within a write. */
export class LibsqlJobStreams {
  readonly #database: LibsqlDatabase;

  constructor(database: LibsqlDatabase) {
    this.#database = database;
  }

  /** Cost: one row each, and the steps that have left the recent ones since the last call. */
  addMetrics(job: number, rows: readonly MetricRow[]): void {
    const steps = rows.filter(({ kind }) => kind === "step").map(({ step }) => step);
    const before = this.#newest(job, "step") ?? -1;
    const newest = steps.reduce((left, right) => Math.max(left, right), before);
    for (const row of rows) {
      if (row.kind === "step" && !isStepKept(row.step, newest, STEP_ROWS_KEPT)) continue;
      const position = row.kind === "step" ? row.step : row.epoch;
      this.#database.run(INSERT, job, row.kind, position, encodeMetricRow(row));
    }
    this.#thin(job, before, newest);
  }

  #thin(job: number, before: number, newest: number): void {
    const { history, recent } = STEP_ROWS_KEPT;
    if (newest <= before) return;
    const stride = historyStride(newest, history);
    // With an unchanged stride, the older rows have been thinned before.
    const thinnedTo = before >= 0 && historyStride(before, history) === stride ? before - recent : -1;
    this.#database.run(THIN, job, thinnedTo, newest - recent, stride);
  }

  /** @param after absent: all */
  forgetMetrics(job: number, after?: RunPosition): void {
    if (after === undefined) return void this.#database.run("DELETE FROM metrics WHERE job = ?", job);
    for (const kind of ["step", "epoch"] as const) {
      this.#database.run("DELETE FROM metrics WHERE job = ? AND kind = ? AND position > ?", job, kind, after[kind]);
    }
  }

  metrics(job: number, query: MetricsQuery): MetricsPage {
    const kind = query.kind ?? "step";
    const from = query.from ?? 0;
    const { first, last } = this.#database.one(RangeRowSchema, RANGE, job, kind, from) ?? { first: null, last: null };
    if (first === null || last === null) return { rows: [], next: null };
    const plan = query.downsample === true ? planDisplay(first, last, query.limit) : { from, stride: 1 };
    const rows = this.#database.all(
      StoredMetricSchema,
      SELECT_METRICS,
      job,
      kind,
      plan.from,
      plan.stride,
      last,
      query.limit,
    );
    const end = rows.at(-1);
    const reached = end === undefined ? last : kind === "step" ? end.step : end.epoch;
    return { rows, next: reached < last ? reached + 1 : null };
  }

  /** Cost: one row each, and a look at the rare events among the older ones. */
  addEvents(job: number, events: readonly JobStreamEvent[]): void {
    const insert = "INSERT INTO events (job, sequence, at, kind, data) VALUES (?, ?, ?, ?, ?)";
    for (const { sequence, at, kind, data } of events) {
      this.#database.run(insert, job, sequence, at, kind, Buffer.from(data));
    }
    const last = events.at(-1)?.sequence ?? 0;
    if (last <= EVENTS_KEPT) return;
    this.#database.run(FORGET_FREQUENT, job, last - EVENTS_KEPT);
    this.#database.run(FORGET_RARE, job, job, last - EVENTS_KEPT, EVENTS_KEPT);
  }

  latestEvents(job: number, kinds: readonly string[], limit: number): JobStreamEvent[] {
    const list = kinds.map(() => "?").join(", ");
    const select = `SELECT sequence, at, kind, data FROM events WHERE job = ? AND kind IN (${list}) ORDER BY sequence DESC LIMIT ?`;
    return this.#database.all(EventRowSchema, select, job, ...kinds, limit);
  }

  events(job: number, afterSequence: number, limit: number): EventsPage {
    const events = this.#database.all(EventRowSchema, SELECT_EVENTS, job, afterSequence, limit);
    const last = events.at(-1);
    return { events, complete: last === undefined || last.sequence === afterSequence + events.length };
  }

  #newest(job: number, kind: MetricKind): number | null {
    return this.#database.one(NumberRowSchema, NEWEST, job, kind)?.value ?? null;
  }
}
