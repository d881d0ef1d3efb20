import type { Failure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobEvent, JobStatus } from "../job/job-state.js";
import {
  checkLimit,
  checkMetricRows,
  checkName,
  checkPosition,
  checkPriority,
  checkWhole,
  copyOutcome,
  encodeDl4j,
  encodeDocument,
  readCursor,
} from "./check-arguments.js";
import {
  afterInterruption,
  applyEvent,
  newJob,
  nextVersion,
  onlyEvent,
  planned,
  sentBack,
  tellNothing,
} from "./job-changes.js";
import type { Job, JobProgress, JobStreamEvent, JobSummary, MetricRow, NewJob } from "./job-record.js";
import {
  type DocumentChange,
  EVENT_PAGE,
  type EventsPage,
  type Interruption,
  JOB_PAGE,
  type JobPage,
  type JobQuery,
  type JobStatusEntry,
  type JobStore,
  METRIC_PAGE,
  type MetricsPage,
  type MetricsQuery,
  type NewEvent,
  type QueuePosition,
  type RunOutcome,
  type RunPlan,
  type RunPosition,
  type StartDetails,
  type Tell,
  type TransitionDetails,
  type TransitionResult,
  type VersionedChange,
} from "./job-store.js";
import type { LibsqlDatabase } from "./libsql-database.js";
import { LibsqlJobStreams } from "./libsql-job-streams.js";
import { LibsqlJobTable } from "./libsql-job-table.js";
import { newJobId } from "./object-id.js";

const STATUSES_AT_ONCE = 1000;

interface EncodedChange extends Omit<VersionedChange, "document"> {
  readonly document: ReturnType<typeof encodeDocument>;
}

/** Jobs in a database that was opened and migrated; ends with it. */
export class LibsqlJobStore implements JobStore {
  readonly #database: LibsqlDatabase;
  readonly #jobs: LibsqlJobTable;
  readonly #streams: LibsqlJobStreams;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(database: LibsqlDatabase, now: () => number) {
    this.#database = database;
    this.#jobs = new LibsqlJobTable(database);
    this.#streams = new LibsqlJobStreams(database);
    this.#now = now;
  }

  async create(wanted: NewJob): Promise<Job> {
    const { json, xml } = wanted.document;
    const document = encodeDocument({ json, xml });
    const priority = checkPriority(wanted.priority ?? 0);
    const title = wanted.title ?? null;
    return await this.#database.write(() => {
      const now = this.#now();
      const job = newJob({ id: newJobId(now), title, priority }, now);
      return { ...job, number: this.#jobs.insert(job, document), document: { json, xml }, dl4j: null };
    });
  }

  get(id: JobId): Promise<Job> {
    return this.#read(() => this.#jobs.withDocument(this.#jobs.find(id)));
  }

  summary(id: JobId): Promise<JobSummary> {
    return this.#read(() => this.#jobs.find(id));
  }

  list(query: JobQuery): Promise<JobPage> {
    return this.#read(() => {
      const limit = checkLimit(query.limit, JOB_PAGE);
      const found = this.#jobs.page({ ...query, limit: limit + 1 }, readCursor(query.cursor));
      const jobs = found.slice(0, limit);
      return { jobs, next: found.length > limit ? String(jobs.at(-1)?.number) : null };
    });
  }

  async *statuses(): AsyncGenerator<JobStatusEntry, void, void> {
    let after = 0;
    while (true) {
      const page = await this.#read(() => this.#jobs.statuses(after, STATUSES_AT_ONCE));
      for (const { id, status } of page) yield { id, status };
      const last = page.at(-1);
      if (last === undefined || page.length < STATUSES_AT_ONCE) return;
      after = last.number;
    }
  }

  counts(): Promise<Readonly<Record<JobStatus, number>>> {
    return this.#read(() => this.#jobs.counts());
  }

  async replaceDocument(id: JobId, expectedVersion: number, change: DocumentChange): Promise<Job> {
    const document = encodeDocument(change.document);
    return await this.#database.write(() => {
      const next = this.#withDocument(this.#jobs.find(id), { ...change, document, expectedVersion });
      return this.#jobs.withDocument(this.#jobs.save({ ...next, updatedAt: this.#now() }));
    });
  }

  async replaceDl4j(id: JobId, text: string | null): Promise<void> {
    const bytes = text === null ? null : encodeDl4j(text);
    await this.#change(id, (job) => {
      this.#jobs.saveDl4j(job.number, bytes);
      return { ...job, updatedAt: this.#now() };
    });
  }

  async setPriority(id: JobId, priority: number): Promise<void> {
    checkPriority(priority);
    await this.#change(id, (job) => ({ ...job, priority, updatedAt: this.#now() }));
  }

  async transition(
    id: JobId,
    event: JobEvent,
    { document, tell, ...details }: TransitionDetails = {},
  ): Promise<TransitionResult> {
    const kept = structuredClone(details);
    const change = document === undefined ? null : { ...document, document: encodeDocument(document.document) };
    return await this.#database.write(() => {
      const job = this.#jobs.find(id);
      const context = { nowMs: this.#now(), nextQueuePlace: this.#jobs.nextQueuePlace() };
      const result = applyEvent(job, event, kept, context);
      if (result.kind === "refused") return result;
      if (event === "start" && kept.keepsMetrics !== true) this.#streams.forgetMetrics(job.number);
      const moved = change === null ? result.job : this.#withDocument(result.job, change);
      return { kind: "moved", job: this.#saveTelling(moved, tell) };
    });
  }

  queued(limit: number, after?: QueuePosition): Promise<readonly JobSummary[]> {
    return this.#read(() => this.#jobs.queued(checkLimit(limit, JOB_PAGE), after));
  }

  claim(id: JobId, details: StartDetails = {}): Promise<TransitionResult> {
    return this.transition(id, "start", details);
  }

  async interrupt(id: JobId, { tell, ...interruption }: Interruption): Promise<JobSummary> {
    const kept = structuredClone(interruption);
    return await this.#database.write(() => {
      const job = this.#jobs.find(id);
      const next = afterInterruption(job, kept, this.#now());
      return next === null ? job : this.#saveTelling(next, tell);
    });
  }

  sendBack(id: JobId, reason: Failure | null, tell?: Tell): Promise<JobSummary> {
    return this.#database.write(() => {
      const job = this.#jobs.find(id);
      const next = sentBack(job, reason, this.#now());
      return next === null ? job : this.#saveTelling(next, tell);
    });
  }

  async recordRun(id: JobId, plan: RunPlan): Promise<void> {
    const kept = { ...plan };
    await this.#change(id, (job) => ({ ...job, run: planned(job.run, kept) }));
  }

  async recordResult(id: JobId, outcome: RunOutcome): Promise<void> {
    const kept = copyOutcome(outcome);
    await this.#change(id, (job) => ({ ...job, run: { ...job.run, ...kept }, updatedAt: this.#now() }));
  }

  async recordProgress(id: JobId, progress: JobProgress): Promise<void> {
    const kept = { ...progress };
    await this.#change(id, (job) => ({ ...job, progress: kept }));
  }

  async addMetrics(id: JobId, rows: readonly MetricRow[]): Promise<void> {
    checkMetricRows(rows);
    const kept = structuredClone(rows);
    await this.#database.write(() => this.#streams.addMetrics(this.#jobs.find(id).number, kept));
  }

  async forgetMetrics(id: JobId, after: RunPosition): Promise<void> {
    const kept = checkPosition(after);
    await this.#database.write(() => this.#streams.forgetMetrics(this.#jobs.find(id).number, kept));
  }

  metrics(id: JobId, query: MetricsQuery): Promise<MetricsPage> {
    return this.#read(() => {
      checkLimit(query.limit, METRIC_PAGE);
      checkWhole("from", query.from ?? 0);
      return this.#streams.metrics(this.#jobs.find(id).number, query);
    });
  }

  async addEvents(id: JobId, events: readonly NewEvent[]): Promise<readonly JobStreamEvent[]> {
    for (const { kind } of events) checkName("event", kind);
    const kept = events.map(({ kind, data }) => ({ kind, data }));
    return await this.#database.write(() => this.#addEvents(this.#jobs.find(id).number, kept));
  }

  async addEvent(id: JobId, event: NewEvent): Promise<JobStreamEvent> {
    return onlyEvent(await this.addEvents(id, [event]));
  }

  latestEvents(id: JobId, kinds: readonly string[], limit: number): Promise<readonly JobStreamEvent[]> {
    return this.#read(() => {
      checkLimit(limit, EVENT_PAGE);
      return this.#streams.latestEvents(this.#jobs.find(id).number, kinds, limit);
    });
  }

  lastEventNumber(id: JobId): Promise<number> {
    return this.#read(() => this.#jobs.lastEvent(this.#jobs.find(id).number));
  }

  events(id: JobId, afterSequence: number, limit: number): Promise<EventsPage> {
    return this.#read(() => {
      checkWhole("afterSequence", afterSequence);
      checkLimit(limit, EVENT_PAGE);
      return this.#streams.events(this.#jobs.find(id).number, afterSequence, limit);
    });
  }

  async delete(id: JobId): Promise<void> {
    await this.#database.write(() => this.#jobs.delete(this.#jobs.find(id).number));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#database[Symbol.asyncDispose]();
  }

  #addEvents(job: number, events: readonly NewEvent[]): JobStreamEvent[] {
    const before = this.#jobs.takeEvents(job, events.length) - events.length;
    const at = this.#now();
    const numbered = events.map(({ kind, data }, index) => ({ sequence: before + 1 + index, at, kind, data }));
    this.#streams.addEvents(job, numbered);
    return numbered;
  }

  #saveTelling(job: JobSummary, tell: Tell = tellNothing): JobSummary {
    const saved = this.#jobs.save(job);
    const events = tell(saved);
    for (const { kind } of events) checkName("event", kind);
    if (events.length > 0) this.#addEvents(job.number, events);
    return saved;
  }

  /** Saves the document, but not yet the job that it returns. @throws RingstrasseError CONFLICT */
  #withDocument(job: JobSummary, change: EncodedChange): JobSummary {
    const next = { ...job, ...nextVersion(job, change) };
    this.#jobs.saveDocument(job.number, change.document);
    return next;
  }

  /** Reads at once, and turns what that throws into a rejection. */
  #read<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => resolve(work()));
  }

  async #change(id: JobId, change: (job: JobSummary) => JobSummary): Promise<void> {
    await this.#database.write(() => this.#jobs.save(change(this.#jobs.find(id))));
  }
}
