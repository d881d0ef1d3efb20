import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BatchGround, BatchJobName, BatchJobToWrite } from "../../coordinator/batch/batch-ground.js";
import type {
  BatchScheduler,
  BatchState,
  BatchSubmission,
  Unanswered,
} from "../../coordinator/batch/batch-scheduler.js";
import type { JobReporter } from "../../coordinator/report/job-reporter.js";
import { openReporter } from "../../coordinator/report/open-reporter.js";
import { createDirectory } from "../../shared/create-directory.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { createLogger } from "../../shared/logger.js";
import type { SchedulerHarness } from "../conformance/batch-scheduler.suite.js";

const LOG = createLogger("silent", { process: "test" });

interface ScriptedJob {
  readonly name: string;
  state: BatchState;
}

/** A batch system whose jobs do what the test says; scripts are files with a job's name in them. */
export class ScriptedScheduler implements BatchScheduler {
  readonly #jobs = new Map<string, ScriptedJob>();
  readonly cancelled: string[] = [];
  /** Names in the order of their submission. */
  readonly submitted: string[] = [];
  /** Every call is refused, and every submission put off, while this is set. */
  outage: string | null = null;
  /** So many calls were refused. */
  refusals = 0;
  /** Batch jobs whose ends it does not tell now. */
  readonly unanswered = new Set<string>();
  /** So many submissions are put off. */
  putOff = 0;

  async submit(script: string): Promise<BatchSubmission> {
    if (this.outage !== null) return { kind: "later", problem: this.outage };
    const name = await readFile(script, "utf8");
    if (name === "impossible") throw refused("there is no partition night");
    if (this.putOff > 0) {
      this.putOff--;
      return { kind: "later", problem: "too many jobs wait" };
    }
    this.submitted.push(name);
    return { kind: "submitted", batchJob: this.add(name) };
  }

  states(batchJobs: readonly string[]): ReturnType<BatchScheduler["states"]> {
    this.#refuseInOutage();
    return Promise.resolve(new Map(batchJobs.map((id) => [id, this.#stateOf(id)])));
  }

  find(name: string): Promise<string | null> {
    this.#refuseInOutage();
    return Promise.resolve([...this.#jobs].findLast(([, job]) => job.name === name)?.[0] ?? null);
  }

  cancel(batchJob: string): Promise<void> {
    this.#refuseInOutage();
    this.cancelled.push(batchJob);
    const job = this.#jobs.get(batchJob);
    if (job !== undefined && job.state.kind !== "ended")
      job.state = { kind: "ended", state: "CANCELLED", exitCode: null };
    return Promise.resolve();
  }

  /** A job that is there without this process having submitted it. @returns its number */
  add(name: string): string {
    const id = String(this.#jobs.size + 1);
    this.#jobs.set(id, { name, state: { kind: "running" } });
    return id;
  }

  set(name: string, state: BatchState): void {
    const job = [...this.#jobs.values()].findLast((each) => each.name === name);
    if (job === undefined) throw new Error(`no batch job ${name}`);
    job.state = state;
  }

  #stateOf(id: string): BatchState | Unanswered {
    if (this.unanswered.has(id)) return { kind: "unanswered", refusal: refused("the accounting does not answer") };
    return this.#jobs.get(id)?.state ?? { kind: "unknown" };
  }

  #refuseInOutage(): void {
    if (this.outage === null) return;
    this.refusals++;
    throw refused(this.outage);
  }
}

/** {@link ScriptedScheduler} as the suite of all batch systems sees it. */
export function scriptedHarness(folder: string): SchedulerHarness {
  const scheduler = new ScriptedScheduler();
  const script = async (name: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, name);
    return path;
  };
  return {
    scheduler,
    script,
    impossibleScript: () => script("impossible"),
    end: (name, exitCode) => {
      scheduler.set(name, { kind: "ended", state: exitCode === 0 ? "COMPLETED" : "FAILED", exitCode });
      return Promise.resolve();
    },
  };
}

/** Batch jobs whose runs the test plays. */
export class ScriptedBatchGround implements BatchGround {
  readonly scheduler = new ScriptedScheduler();
  readonly timing = { lookMs: 5, askMs: 5, laterMs: 10 };
  readonly written: BatchJobName[] = [];
  readonly tidied: BatchJobName[] = [];
  readonly forgotten: JobId[] = [];
  /** What logs say. */
  log: string | null = null;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  capacity(): { present: number; idle: number } {
    return { present: 1000, idle: 1000 };
  }

  workers(): readonly [] {
    return [];
  }

  onCapacityChanged(): void {
    // It never does.
  }

  async write({ name }: BatchJobToWrite): ReturnType<BatchGround["write"]> {
    const folder = join(this.#folder, name.id);
    await createDirectory(folder);
    await writeFile(join(folder, name.key), this.nameOf(name));
    this.written.push(name);
    return { kind: "written", script: join(folder, name.key), leftBehind: null };
  }

  nameOf({ id, key }: BatchJobName): string {
    return `${id}-${key}`;
  }

  reportsOf({ id, key }: BatchJobName): string {
    return join(this.#folder, id, `reports-${key}`, id);
  }

  logOf(): Promise<{ readonly path: string; readonly text: string } | null> {
    return Promise.resolve(this.log === null ? null : { path: "/of/the/test.out", text: this.log });
  }

  startedJobOf(): Promise<string | null> {
    return Promise.resolve(null);
  }

  tidy(name: BatchJobName): Promise<void> {
    this.tidied.push(name);
    return Promise.resolve();
  }

  async forget(id: JobId): Promise<void> {
    await rm(join(this.#folder, id), { recursive: true, force: true });
    this.forgotten.push(id);
  }

  /** A run of the batch job begins to report. */
  run(name: BatchJobName): JobReporter {
    const timing = { batchMs: 1, firstRetryMs: 5, lastRetryMs: 20, patienceMs: 5000 };
    return openReporter({ url: pathToFileURL(this.reportsOf(name)).href, token: null, log: LOG, timing });
  }
}

function refused(problem: string): RingstrasseError {
  return new RingstrasseError({ code: "BATCH_REFUSED", option: null, problem, remedy: "Wait" });
}
