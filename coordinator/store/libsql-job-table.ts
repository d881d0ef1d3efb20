import type { JobId } from "../../shared/ids.js";
import type { JobStatus } from "../job/job-state.js";
import type { encodeDocument } from "./check-arguments.js";
import type { Job, JobSummary } from "./job-record.js";
import {
  CountRowSchema,
  DocumentRowSchema,
  encodeFacts,
  NumberRowSchema,
  StatusRowSchema,
  SUMMARY_COLUMNS,
  SummaryRowSchema,
} from "./job-rows.js";
import type { JobQuery, JobStatusEntry, QueuePosition } from "./job-store.js";
import type { LibsqlDatabase } from "./libsql-database.js";
import { jobNotFound, storeDamaged } from "./store-failure.js";

const INSERT_JOB = `INSERT INTO jobs (id, status, priority, queue_place, version, created_at, updated_at, facts)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number AS value`;
const INSERT_DOCUMENT = "INSERT INTO documents (job, json, xml, dl4j) VALUES (?, ?, ?, NULL)";
const UPDATE_JOB = `UPDATE jobs SET status = ?, priority = ?, queue_place = ?, version = ?, updated_at = ?, facts = ?
  WHERE number = ?`;
export const SELECT_BY_ID = `SELECT ${SUMMARY_COLUMNS} FROM jobs WHERE id = ?`;
const SELECT_DOCUMENT = "SELECT json, xml, dl4j FROM documents WHERE job = ?";
const TAKE_EVENTS = "UPDATE jobs SET last_event = last_event + ? WHERE number = ? RETURNING last_event AS value";
export const SELECT_NEXT_PLACE =
  "SELECT coalesce(max(queue_place), 0) + 1 AS value FROM jobs WHERE queue_place IS NOT NULL";
export const SELECT_QUEUED = `SELECT ${SUMMARY_COLUMNS} FROM jobs INDEXED BY jobs_queue WHERE status = 'QUEUED'
  ORDER BY priority DESC, queue_place LIMIT ?`;
export const SELECT_QUEUED_AFTER = `SELECT ${SUMMARY_COLUMNS} FROM jobs INDEXED BY jobs_queue
  WHERE status = 'QUEUED' AND priority <= ? AND (priority < ? OR queue_place > ?) ORDER BY priority DESC, queue_place LIMIT ?`;
export const SELECT_STATUSES =
  "SELECT number, id, status FROM jobs INDEXED BY jobs_statuses WHERE number > ? ORDER BY number LIMIT ?";
export const COUNT_STATUSES = "SELECT status, count(*) AS count FROM jobs GROUP BY status";

/** Jobs and their documents as rows. Synchronous; changes only within a write. */
export class LibsqlJobTable {
  readonly #database: LibsqlDatabase;

  constructor(database: LibsqlDatabase) {
    this.#database = database;
  }

  /** @returns the new job's number */
  insert(job: Omit<JobSummary, "number">, document: ReturnType<typeof encodeDocument>): number {
    const { id, status, priority, queuePlace, version, createdAt, updatedAt } = job;
    const columns = [id, status, priority, queuePlace, version, createdAt, updatedAt, encodeFacts(job)];
    const number = this.#value(INSERT_JOB, ...columns);
    this.#database.run(INSERT_DOCUMENT, number, document.json, document.xml);
    return number;
  }

  /** @throws RingstrasseError NOT_FOUND */
  find(id: JobId): JobSummary {
    const job = this.#database.one(SummaryRowSchema, SELECT_BY_ID, id);
    if (job === null) throw jobNotFound(id);
    return job;
  }

  withDocument(job: JobSummary): Job {
    const row = this.#database.one(DocumentRowSchema, SELECT_DOCUMENT, job.number);
    if (row === null) throw storeDamaged(this.#database.path, `job ${job.id} has lost its document`);
    return { ...job, document: { json: row.json, xml: row.xml }, dl4j: row.dl4j };
  }

  save(job: JobSummary): JobSummary {
    const { status, priority, queuePlace, version, updatedAt, number } = job;
    this.#database.run(UPDATE_JOB, status, priority, queuePlace, version, updatedAt, encodeFacts(job), number);
    return job;
  }

  saveDocument(job: number, { json, xml }: ReturnType<typeof encodeDocument>): void {
    this.#database.run("UPDATE documents SET json = ?, xml = ? WHERE job = ?", json, xml, job);
  }

  saveDl4j(job: number, text: Uint8Array | null): void {
    this.#database.run("UPDATE documents SET dl4j = ? WHERE job = ?", text, job);
  }

  /** `limit` jobs beyond number `after`. */
  page({ status, order, limit }: JobQuery, after: number | null): JobSummary[] {
    const start = after ?? ((order ?? "oldest") === "oldest" ? 0 : Number.MAX_SAFE_INTEGER);
    const filter = status === undefined ? [] : [status];
    return this.#database.all(SummaryRowSchema, listStatement({ status, order }), ...filter, start, limit);
  }

  /** The next `limit` statuses beyond number `after`. */
  statuses(after: number, limit: number): (JobStatusEntry & { readonly number: number })[] {
    return this.#database.all(StatusRowSchema, SELECT_STATUSES, after, limit);
  }

  counts(): Record<JobStatus, number> {
    const counts: Record<JobStatus, number> = { CREATED: 0, QUEUED: 0, INPROGRESS: 0, FINISHED: 0, ERROR: 0 };
    for (const { status, count } of this.#database.all(CountRowSchema, COUNT_STATUSES)) counts[status] = count;
    return counts;
  }

  queued(limit: number, after?: QueuePosition): JobSummary[] {
    if (after === undefined) return this.#database.all(SummaryRowSchema, SELECT_QUEUED, limit);
    const { priority, queuePlace } = after;
    return this.#database.all(SummaryRowSchema, SELECT_QUEUED_AFTER, priority, priority, queuePlace ?? 0, limit);
  }

  nextQueuePlace(): number {
    return this.#value(SELECT_NEXT_PLACE);
  }

  /** Counts so many more events of the job. @returns the last one's number */
  takeEvents(job: number, count: number): number {
    return this.#value(TAKE_EVENTS, count, job);
  }

  lastEvent(job: number): number {
    return this.#value("SELECT last_event AS value FROM jobs WHERE number = ?", job);
  }

  delete(job: number): void {
    this.#database.run("DELETE FROM jobs WHERE number = ?", job);
  }

  #value(sql: string, ...parameters: (string | number | null)[]): number {
    const value = this.#database.one(NumberRowSchema, sql, ...parameters)?.value;
    if (typeof value !== "number") throw storeDamaged(this.#database.path, `no number came back from "${sql}"`);
    return value;
  }
}

/** Parameters: the status, if any; the number after which the page begins; its length. */
export function listStatement({
  status,
  order,
}: {
  status?: JobStatus | undefined;
  order?: JobQuery["order"];
}): string {
  const [beyond, direction] = (order ?? "oldest") === "oldest" ? [">", "ASC"] : ["<", "DESC"];
  const filter = status === undefined ? "" : "status = ? AND ";
  return `SELECT ${SUMMARY_COLUMNS} FROM jobs WHERE ${filter}number ${beyond} ? ORDER BY number ${direction} LIMIT ?`;
}
