import { type Cluster, type ClusterWorker, QUEUE_SHOWN } from "../../shared/api/cluster.js";
import type { JobDetail } from "../../shared/api/job-detail.js";
import { type JobEvent, JobEventSchema } from "../../shared/api/job-event.js";
import { type JobMetrics, type StepPoint, StepPointSchema } from "../../shared/api/job-metrics.js";
import type { JobSummary as JobSummaryView } from "../../shared/api/job-summary.js";
import { describeFailure } from "../../shared/describe-failure.js";
import type { JobId } from "../../shared/ids.js";
import { type EpochEvent, EpochEventSchema } from "../../shared/train-events.js";
import { VERSION } from "../../shared/version.js";
import type { JobStreamEvent, JobSummary, MetricRow } from "../store/job-record.js";
import type { JobQuery, JobStore } from "../store/job-store.js";
import type { RunResults } from "./run-results.js";
import type { Workforce } from "./training-ground.js";

/** Kinds of events that tell of an attempt as a whole; few of each. Warnings may be many, and are not to push these out. */
const RARE_EVENTS = ["status", "started", "generation", "collective", "finished"];
/** Such events that a page looks back over, and warnings. */
const LOOKED_BACK = 500;

export interface JobViewsOptions {
  readonly store: JobStore;
  readonly results: RunResults;
  readonly ground: Pick<Workforce, "workers">;
}

/** Jobs as lists and pages show them. */
export class JobViews {
  readonly #options: JobViewsOptions;

  constructor(options: JobViewsOptions) {
    this.#options = options;
  }

  async page(query: JobQuery): Promise<{ readonly jobs: readonly JobSummaryView[]; readonly next: string | null }> {
    const { jobs, next } = await this.#options.store.list(query);
    return { jobs: jobs.map(summaryView), next };
  }

  async detail(id: JobId): Promise<JobDetail> {
    const { store, results } = this.#options;
    // First: what comes while the rest is read is told again, and nothing is missed.
    const lastEventId = await store.lastEventNumber(id);
    const [job, rare, warnings, steps] = await Promise.all([
      store.summary(id),
      store.latestEvents(id, RARE_EVENTS, LOOKED_BACK),
      store.latestEvents(id, ["warning"], LOOKED_BACK),
      store.latestEvents(id, ["step"], 1),
    ]);
    const attempt = sinceQueued(rare.map(numbered));
    const told = warnings.map(numbered).filter(({ sequence }) => sequence > attempt.after);
    const latest = <Kind extends JobEvent["event"]>(kind: Kind) =>
      attempt.events.find((event): event is Extract<JobEvent, { event: Kind }> => event.event === kind) ?? null;
    const [step] = steps;
    const lastStep = step !== undefined && step.sequence > attempt.after ? parseEvent(step.data) : null;
    const files = await results.filesOf(job.run);
    return {
      job: summaryView(job),
      failure: job.statusReason,
      started: latest("started"),
      generation: latest("generation"),
      collective: latest("collective"),
      lastStep: lastStep?.event === "step" ? lastStep : null,
      result: job.status === "FINISHED" ? job.run.result : latest("finished"),
      warnings: told.flatMap(({ event }) => (event.event === "warning" ? [event.message] : [])).reverse(),
      files: files.map(({ id: file, name, sizeBytes }) => ({ name, href: `/storage/files/${file}`, sizeBytes })),
      lastEventId,
    };
  }

  async metrics(id: JobId, { from, limit }: { readonly from: number; readonly limit: number }): Promise<JobMetrics> {
    const { store } = this.#options;
    const { rows } = await store.metrics(id, { kind: "step", from, limit, downsample: true });
    const firstEpoch = await this.#firstEpochEnding(id, from);
    const epochs = await store.metrics(id, { kind: "epoch", from: firstEpoch, limit, downsample: true });
    return { epochs: epochs.rows.map(epochEvent), steps: rows.map(stepPoint) };
  }

  /** The first epoch that ends with this step or a later one. Cost: O(log epochs) looks at a row each. */
  async #firstEpochEnding(id: JobId, step: number): Promise<number> {
    if (step === 0) return 0;
    const { store } = this.#options;
    const [latest] = (await store.metrics(id, { kind: "epoch", limit: 1, downsample: true })).rows;
    let [first, beyond] = [0, (latest?.epoch ?? 0) + 1];
    while (first < beyond) {
      const middle = Math.floor((first + beyond) / 2);
      const [row] = (await store.metrics(id, { kind: "epoch", from: middle, limit: 1 })).rows;
      if (row === undefined || row.step >= step) beyond = middle;
      else first = row.epoch + 1;
    }
    return first;
  }

  async cluster(): Promise<Cluster> {
    const { store } = this.#options;
    const [waiting, { QUEUED: queued }] = await Promise.all([store.queued(QUEUE_SHOWN), store.counts()]);
    return { queue: waiting.map(({ id }) => id), queued, workers: [...this.workers()], version: VERSION };
  }

  workers(): readonly ClusterWorker[] {
    return this.#options.ground.workers();
  }
}

interface NumberedEvent {
  readonly sequence: number;
  readonly event: JobEvent;
}

/** Newest first, as far back as the latest time that the job began to wait; `after`: that event's number. */
function sinceQueued(events: readonly NumberedEvent[]): {
  readonly events: readonly JobEvent[];
  readonly after: number;
} {
  const index = events.findIndex(({ event }) => event.event === "status" && event.status === "QUEUED");
  const own = index === -1 ? events : events.slice(0, index);
  return { events: own.map(({ event }) => event), after: events[index]?.sequence ?? 0 };
}

/** Pure: one line of a list. */
export function summaryView(job: JobSummary): JobSummaryView {
  const { run, progress, statusReason } = job;
  const last = progress?.lastEpoch ?? (job.status === "FINISHED" ? run.result : null);
  const done = job.status === "FINISHED" ? run.result : null;
  return {
    id: job.id,
    name: job.title ?? "",
    status: job.status,
    statusReason: statusReason === null ? null : { code: statusReason.code, message: describeFailure(statusReason) },
    createdAt: new Date(job.createdAt).toISOString(),
    updatedAt: new Date(job.updatedAt).toISOString(),
    attempt: run.earlierAttempts + run.attempt,
    priority: job.priority,
    workers: run.workers,
    replicas: run.replicas,
    epoch: done?.epochs ?? progress?.epoch ?? 0,
    epochs: progress?.epochs ?? null,
    step: done?.steps ?? progress?.step ?? 0,
    trainLoss: last?.trainLoss ?? null,
    trainAccuracy: last?.trainAccuracy ?? null,
    testAccuracy: last?.testAccuracy ?? null,
    samplesPerSecond: last?.samplesPerSecond ?? null,
  };
}

function numbered({ sequence, data }: JobStreamEvent): NumberedEvent {
  return { sequence, event: parseEvent(data) };
}

function parseEvent(data: string): JobEvent {
  return JobEventSchema.parse(JSON.parse(data));
}

function stepPoint({ epoch, step, values }: MetricRow): StepPoint {
  return StepPointSchema.parse({ epoch, step, ...values });
}

function epochEvent({ epoch, values }: MetricRow): EpochEvent {
  return EpochEventSchema.parse({ event: "epoch", epoch, ...values });
}
