import type { JobEvent, JobStatus } from "../../coordinator/job/job-state.js";
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
} from "../../coordinator/store/check-arguments.js";
import {
  afterInterruption,
  applyEvent,
  isBehind,
  newJob,
  onlyEvent,
  planned,
  sentBack,
  tellNothing,
} from "../../coordinator/store/job-changes.js";
import type {
  Job,
  JobProgress,
  JobStreamEvent,
  JobSummary,
  MetricRow,
  NewJob,
} from "../../coordinator/store/job-record.js";
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
} from "../../coordinator/store/job-store.js";
import { newJobId } from "../../coordinator/store/object-id.js";
import { jobNotFound, storeClosed } from "../../coordinator/store/store-failure.js";
import type { Failure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { type MemoryJobEntry as Entry, summaryOf, withDocument } from "./memory-job-entry.js";
import { MemoryJobStreams } from "./memory-job-streams.js";

/** Jobs in this process's memory only: for tests, and for servers that need to keep nothing. Lists cost as much as there are jobs. */
export class MemoryJobStore implements JobStore {
  readonly #now: () => number;
  readonly #entries = new Map<JobId, Entry>();
  #lastNumber = 0;
  #open = true;

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  create({ document, title, priority }: NewJob): Promise<Job> {
    return this.#step(() => {
      encodeDocument(document);
      const now = this.#now();
      const facts = { id: newJobId(now), title: title ?? null, priority: checkPriority(priority ?? 0) };
      this.#lastNumber++;
      const job: Job = { ...newJob(facts, now), number: this.#lastNumber, document: { ...document }, dl4j: null };
      this.#entries.set(job.id, { job, streams: new MemoryJobStreams() });
      return job;
    });
  }

  get(id: JobId): Promise<Job> {
    return this.#step(() => this.#find(id).job);
  }

  summary(id: JobId): Promise<JobSummary> {
    return this.#step(() => summaryOf(this.#find(id).job));
  }

  list(query: JobQuery): Promise<JobPage> {
    return this.#step(() => {
      const limit = checkLimit(query.limit, JOB_PAGE);
      const after = readCursor(query.cursor);
      const oldest = (query.order ?? "oldest") === "oldest";
      const all = oldest ? this.#all() : this.#all().reverse();
      const found = all.filter(({ number, status }) => {
        const beyond = after === null || (oldest ? number > after : number < after);
        return beyond && (query.status === undefined || status === query.status);
      });
      const jobs = found.slice(0, limit).map(summaryOf);
      return { jobs, next: found.length > limit ? String(jobs.at(-1)?.number) : null };
    });
  }

  async *statuses(): AsyncGenerator<JobStatusEntry, void, void> {
    yield* await this.#step(() => this.#all().map(({ id, status }) => ({ id, status })));
  }

  counts(): Promise<Readonly<Record<JobStatus, number>>> {
    return this.#step(() => {
      const counts: Record<JobStatus, number> = { CREATED: 0, QUEUED: 0, INPROGRESS: 0, FINISHED: 0, ERROR: 0 };
      for (const { status } of this.#all()) counts[status]++;
      return counts;
    });
  }

  replaceDocument(id: JobId, expectedVersion: number, change: DocumentChange): Promise<Job> {
    return this.#step(() => {
      const next = withDocument(this.#find(id).job, { ...change, expectedVersion });
      return this.#save({ ...next, updatedAt: this.#now() });
    });
  }

  replaceDl4j(id: JobId, text: string | null): Promise<void> {
    return this.#change(id, (job) => {
      if (text !== null) encodeDl4j(text);
      return { ...job, dl4j: text, updatedAt: this.#now() };
    });
  }

  setPriority(id: JobId, priority: number): Promise<void> {
    return this.#change(id, (job) => ({ ...job, priority: checkPriority(priority), updatedAt: this.#now() }));
  }

  transition(id: JobId, event: JobEvent, details: TransitionDetails = {}): Promise<TransitionResult> {
    return this.#step(() => {
      const entry = this.#find(id);
      const nextQueuePlace = 1 + this.#all().reduce((last, { queuePlace }) => Math.max(last, queuePlace ?? 0), 0);
      const result = applyEvent(entry.job, event, details, { nowMs: this.#now(), nextQueuePlace });
      if (result.kind === "refused") return result;
      const job = { ...entry.job, ...result.job };
      const moved = details.document === undefined ? job : withDocument(job, details.document);
      if (event === "start" && details.keepsMetrics !== true) entry.streams.forgetMetrics();
      return { kind: "moved", job: this.#saveTelling(moved, details.tell) };
    });
  }

  queued(limit: number, after?: QueuePosition): Promise<readonly JobSummary[]> {
    return this.#step(() => {
      const waiting = this.#all().filter((job) => job.status === "QUEUED" && isBehind(job, after));
      waiting.sort((left, right) => right.priority - left.priority || (left.queuePlace ?? 0) - (right.queuePlace ?? 0));
      return waiting.slice(0, checkLimit(limit, JOB_PAGE)).map(summaryOf);
    });
  }

  claim(id: JobId, details: StartDetails = {}): Promise<TransitionResult> {
    return this.transition(id, "start", details);
  }

  interrupt(id: JobId, interruption: Interruption): Promise<JobSummary> {
    return this.#step(() => {
      const { job } = this.#find(id);
      const next = afterInterruption(job, interruption, this.#now());
      return next === null ? summaryOf(job) : this.#saveTelling({ ...job, ...next }, interruption.tell);
    });
  }

  sendBack(id: JobId, reason: Failure | null, tell?: Tell): Promise<JobSummary> {
    return this.#step(() => {
      const { job } = this.#find(id);
      const next = sentBack(job, reason, this.#now());
      return next === null ? summaryOf(job) : this.#saveTelling({ ...job, ...next }, tell);
    });
  }

  recordRun(id: JobId, plan: RunPlan): Promise<void> {
    return this.#change(id, (job) => ({ ...job, run: planned(job.run, plan) }));
  }

  recordResult(id: JobId, outcome: RunOutcome): Promise<void> {
    return this.#change(id, (job) => {
      return { ...job, run: { ...job.run, ...copyOutcome(outcome) }, updatedAt: this.#now() };
    });
  }

  recordProgress(id: JobId, progress: JobProgress): Promise<void> {
    return this.#change(id, (job) => ({ ...job, progress }));
  }

  addMetrics(id: JobId, rows: readonly MetricRow[]): Promise<void> {
    return this.#step(() => {
      checkMetricRows(rows);
      this.#find(id).streams.addMetrics(structuredClone(rows));
    });
  }

  forgetMetrics(id: JobId, after: RunPosition): Promise<void> {
    return this.#step(() => this.#find(id).streams.forgetMetrics(checkPosition(after)));
  }

  metrics(id: JobId, query: MetricsQuery): Promise<MetricsPage> {
    return this.#step(() => {
      checkLimit(query.limit, METRIC_PAGE);
      checkWhole("from", query.from ?? 0);
      return this.#find(id).streams.metrics(query);
    });
  }

  addEvents(id: JobId, events: readonly NewEvent[]): Promise<readonly JobStreamEvent[]> {
    return this.#step(() => {
      for (const { kind } of events) checkName("event", kind);
      const { streams } = this.#find(id);
      const at = this.#now();
      return events.map(({ kind, data }) => streams.addEvent({ at, kind, data }));
    });
  }

  async addEvent(id: JobId, event: NewEvent): Promise<JobStreamEvent> {
    return onlyEvent(await this.addEvents(id, [event]));
  }

  latestEvents(id: JobId, kinds: readonly string[], limit: number): Promise<readonly JobStreamEvent[]> {
    return this.#step(() => {
      checkLimit(limit, EVENT_PAGE);
      return this.#find(id).streams.latestEvents(kinds, limit);
    });
  }

  lastEventNumber(id: JobId): Promise<number> {
    return this.#step(() => this.#find(id).streams.lastEventNumber);
  }

  events(id: JobId, afterSequence: number, limit: number): Promise<EventsPage> {
    return this.#step(() => {
      checkWhole("afterSequence", afterSequence);
      checkLimit(limit, EVENT_PAGE);
      return this.#find(id).streams.events(afterSequence, limit);
    });
  }

  delete(id: JobId): Promise<void> {
    return this.#step(() => {
      this.#find(id);
      this.#entries.delete(id);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#open = false;
    return Promise.resolve();
  }

  /** One call: at once, and its result a copy that the caller may keep. */
  #step<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (!this.#open) throw storeClosed("memory");
      resolve(structuredClone(work()));
    });
  }

  #change(id: JobId, change: (job: Job) => Job): Promise<void> {
    return this.#step(() => {
      this.#save(structuredClone(change(this.#find(id).job)));
    });
  }

  #find(id: JobId): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw jobNotFound(id);
    return entry;
  }

  #save(job: Job): Job {
    this.#find(job.id).job = structuredClone(job);
    return job;
  }

  #saveTelling(job: Job, tell: Tell = tellNothing): JobSummary {
    const summary = summaryOf(this.#save(job));
    const { streams } = this.#find(job.id);
    for (const { kind, data } of tell(summary)) streams.addEvent({ at: this.#now(), kind, data });
    return summary;
  }

  #all(): Job[] {
    return [...this.#entries.values()].map(({ job }) => job);
  }
}
