import type { Cluster, ClusterWorker } from "../../shared/api/cluster.js";
import type { Evaluation } from "../../shared/api/evaluation.js";
import type { JobDetail } from "../../shared/api/job-detail.js";
import type { JobMetrics } from "../../shared/api/job-metrics.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobStatus } from "../job/job-state.js";
import { checkPriority } from "../store/check-arguments.js";
import type { FileStore } from "../store/file-store.js";
import type { Job, JobStreamEvent, JobSummary } from "../store/job-record.js";
import type { JobQuery, JobStore } from "../store/job-store.js";
import { FileIdSchema } from "../store/object-id.js";
import { fileNotFound } from "../store/store-failure.js";
import { applyFile } from "../vinnsl/object/apply-file.js";
import type { PartRoute } from "../vinnsl/object/replace-part.js";
import type { ResultPart } from "../vinnsl/results/result-documents.js";
import type { ElsewhereRuns } from "./elsewhere-runs.js";
import type { JobCheckpoints } from "./job-checkpoints.js";
import { statusConflict } from "./job-conflict.js";
import type { JobDocuments } from "./job-documents.js";
import type { JobEvaluations, RowsToJudgeBy } from "./job-evaluations.js";
import { findJobFiles } from "./job-files.js";
import type { JobKeeper } from "./job-keeper.js";
import type { JobLife } from "./job-life.js";
import type { JobQueue } from "./job-queue.js";
import type { JobRemoval } from "./job-removal.js";
import type {
  DocumentBody,
  JobObject,
  JobService,
  QueueOptions,
  RunReport,
  StatusChange,
  Submission,
} from "./job-service.js";
import type { JobStream } from "./job-stream.js";
import type { JobViews } from "./job-views.js";
import type { KeyedTurns } from "./keyed-turns.js";
import type { RunResults } from "./run-results.js";
import { workersWanted } from "./train-job.js";
import type { TrainingTotals } from "./training-totals.js";

/** What the service is made of; `openJobService` puts it together. */
export interface ServiceParts {
  readonly store: JobStore;
  readonly files: FileStore;
  readonly stream: JobStream;
  readonly life: JobLife;
  readonly documents: JobDocuments;
  readonly checkpoints: JobCheckpoints;
  readonly results: RunResults;
  readonly removal: JobRemoval;
  readonly keeper: JobKeeper;
  readonly queue: JobQueue;
  readonly elsewhere: ElsewhereRuns;
  readonly views: JobViews;
  readonly evaluations: JobEvaluations;
  readonly turns: KeyedTurns<JobId>;
  readonly totals: TrainingTotals;
}

/** How the parts of an object are called in routes. */
export const ROUTE_OF_PART = {
  definition: "definition",
  instance: "instanceschema",
  trainingresult: "trainingresult",
  result: "resultschema",
} as const satisfies Record<"definition" | ResultPart, PartRoute>;

/** Statuses in which a job has been given to workers, or will be: what it is to do is settled. */
const SETTLED: readonly JobStatus[] = ["QUEUED", "INPROGRESS"];

/** {@link JobService} over a job store, a file store and a training ground. */
export class StoredJobService implements JobService {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  submit(submission: Submission): Promise<Job> {
    return this.#parts.documents.submit(submission);
  }

  object(id: JobId): Promise<JobObject> {
    return this.#parts.documents.object(id);
  }

  objects(): AsyncIterable<JobObject> {
    return this.#parts.documents.objects();
  }

  replacePart(id: JobId, part: "definition" | ResultPart, body: DocumentBody): Promise<JobObject> {
    const { documents, turns } = this.#parts;
    return turns.run(id, async () => {
      if (part === "definition") await this.#refuseSettled(id, "its definition can't change now");
      return await documents.replacePart(id, ROUTE_OF_PART[part], body);
    });
  }

  addFile(id: JobId, fileId: string): Promise<JobObject> {
    const { documents, files, turns } = this.#parts;
    return turns.run(id, async () => {
      await this.#refuseSettled(id, "its data can't change now");
      const parsed = FileIdSchema.safeParse(fileId);
      if (!parsed.success) throw fileNotFound(fileId);
      const file = await files.get(parsed.data);
      return await documents.change(id, (object) => applyFile(object, file.id, file.name));
    });
  }

  dl4j(id: JobId): Promise<{ readonly text: string; readonly differences: readonly string[] }> {
    return this.#parts.documents.dl4j(id);
  }

  replaceDl4j(id: JobId, bytes: Uint8Array): Promise<void> {
    return this.#parts.documents.replaceDl4j(id, bytes);
  }

  async queue(id: JobId, { priority, resume = "auto" }: QueueOptions = {}): Promise<JobSummary> {
    const { store, files, documents, checkpoints, life, queue, turns } = this.#parts;
    if (priority !== undefined) checkPriority(priority);
    const queued = await turns.run(id, async () => {
      const { status } = await store.summary(id);
      if (SETTLED.includes(status)) throw statusConflict(id, status, `it is ${status} already`);
      const job = await documents.trainable(id);
      await findJobFiles(job, files);
      if (resume === "never" || status === "FINISHED") await checkpoints.forget(id);
      // Asked for at once, the changes share one transaction: both are kept, or none is.
      const prioritised = priority === undefined ? null : store.setPriority(id, priority);
      const moved = life.move(id, "queue", { plan: { workersWanted: workersWanted(job.settings) } });
      await Promise.all([prioritised, moved]);
      return await moved;
    });
    queue.schedule();
    return queued;
  }

  async cancel(id: JobId): Promise<JobSummary> {
    const { store, keeper } = this.#parts;
    const reason = new RingstrasseError({ code: "CANCELLED", what: "job", id });
    while (true) {
      const ended = await this.#cancelWaiting(id, reason);
      if (ended !== null) return ended;
      await keeper.stop(id, reason);
      const job = await store.summary(id);
      if (job.status === "ERROR") return job;
      if (job.status === "FINISHED") throw statusConflict(id, job.status, "it ended before it could be cancelled");
      // Else it was sent back to wait just then.
    }
  }

  /** Null: its keeper must end it. @throws RingstrasseError CONFLICT when there is nothing to cancel */
  #cancelWaiting(id: JobId, { failure }: RingstrasseError): Promise<JobSummary | null> {
    const { store, keeper, life, queue, turns } = this.#parts;
    return turns.run(id, async () => {
      const job = await store.summary(id);
      if (!SETTLED.includes(job.status)) throw statusConflict(id, job.status, "it neither waits nor runs");
      if (keeper.mustEnd(job)) return null;
      const ended = await life.move(id, "fail", { reason: failure });
      queue.forget(id);
      queue.schedule();
      return ended;
    });
  }

  async setStatus(id: JobId, change: StatusChange): Promise<JobSummary> {
    if (change.status === "QUEUED") return await this.queue(id);
    const job = await this.#parts.elsewhere.setStatus(id, change);
    this.#parts.queue.forget(id);
    this.#parts.queue.schedule();
    return job;
  }

  async statuses(): Promise<Readonly<Record<string, JobStatus>>> {
    const statuses: [string, JobStatus][] = [];
    for await (const { id, status } of this.#parts.store.statuses()) statuses.push([id, status]);
    return Object.fromEntries(statuses);
  }

  queuedIds(): Promise<readonly JobId[]> {
    return this.#parts.queue.ids();
  }

  remove(id: JobId): Promise<void> {
    return this.#parts.removal.remove(id);
  }

  removeAll(): Promise<number> {
    return this.#parts.removal.removeAll();
  }

  reportingRun(id: JobId): Promise<string | null> {
    return this.#parts.elsewhere.reportingRun(id);
  }

  report(id: JobId, report: RunReport): Promise<void> {
    return this.#parts.elsewhere.report(id, report);
  }

  page(query: JobQuery): ReturnType<JobService["page"]> {
    return this.#parts.views.page(query);
  }

  detail(id: JobId): Promise<JobDetail> {
    return this.#parts.views.detail(id);
  }

  metrics(id: JobId, query: { readonly from: number; readonly limit: number }): Promise<JobMetrics> {
    return this.#parts.views.metrics(id, query);
  }

  async modelFiles(id: JobId): Promise<ReadonlyMap<string, string>> {
    const { run } = await this.#parts.store.summary(id);
    return await this.#parts.results.modelFilesOf(id, run);
  }

  evaluate(id: JobId, rows: RowsToJudgeBy, signal: AbortSignal): Promise<Evaluation> {
    return this.#parts.evaluations.evaluate(id, rows, signal);
  }

  follow(id: JobId, after: number, signal: AbortSignal): AsyncIterable<JobStreamEvent> {
    return this.#parts.stream.follow(id, after, signal);
  }

  cluster(): Promise<Cluster> {
    return this.#parts.views.cluster();
  }

  workers(): readonly ClusterWorker[] {
    return this.#parts.views.workers();
  }

  counts(): Promise<Readonly<Record<JobStatus, number>>> {
    return this.#parts.store.counts();
  }

  totals(): { readonly steps: number; readonly rows: number } {
    const { steps, rows } = this.#parts.totals;
    return { steps, rows };
  }

  /** Runs end, and their jobs wait for the next server; followers end. The stores stay open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { keeper, queue, stream } = this.#parts;
    await queue.hold();
    await keeper.stopAll({ code: "INTERRUPTED", signal: "the end of the server" });
    stream.close();
  }

  async #refuseSettled(id: JobId, problem: string): Promise<void> {
    const { status } = await this.#parts.store.summary(id);
    if (!SETTLED.includes(status)) return;
    const remedy = `It is ${status}: wait until it is FINISHED or ERROR, or cancel it by POST /vinnsl/{id}/cancel`;
    throw new RingstrasseError({ code: "CONFLICT", what: "job", id, problem, remedy });
  }
}
