import type { ApiClient } from "../api/api-client.js";
import { type ApiProblem, isAbort, toProblem } from "../api/api-error.js";
import { followEvents, type NumberedEvent } from "../api/follow-events.js";
import type { JobActionName } from "../stores/job-actions.js";
import type { JobAction, JobState } from "../stores/job-store.js";
import type { Store } from "../stores/store.js";
import { EventBatch } from "./event-batch.js";
import { type PageSight, whileSeen } from "./page-sight.js";

export interface JobControllerOptions {
  readonly api: ApiClient;
  readonly jobId: string;
  readonly store: Store<JobState, JobAction>;
  /** As `followEvents` takes it. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly sight: PageSight;
}

/** How long to wait before a job that could not be read is asked for again. */
const RETRY_MS = 2_000;
/** After these the figures on top (failure, files, result) are read anew. */
const TURNING_POINTS: readonly NumberedEvent["event"]["event"][] = ["status", "finished", "failed"];

/** Keeps one job's store up to date from `start` to `stop`, while the page can be seen, and carries out what its buttons say. */
export class JobController {
  readonly #options: JobControllerOptions;
  readonly #stopped = new AbortController();
  readonly #batch: EventBatch<NumberedEvent>;
  /** The figures on top are to be read anew. */
  #isBehind = false;
  #isReading = false;

  constructor(options: JobControllerOptions) {
    this.#options = options;
    this.#batch = new EventBatch((events) => this.#received(events));
  }

  /** Resolves when stopped, or when the job can't be followed (then the store says why). Never rejects. */
  async start(): Promise<void> {
    const { api, jobId, store, pause } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        // In this order: whatever happens between the two is in the metrics, and told again by the events.
        const detail = await api.job(jobId, signal);
        const metrics = await api.metrics(jobId, signal);
        store.dispatch({ kind: "loaded", detail, metrics });
        await this.#follow(detail.lastEventId);
      } catch (thrown) {
        if (signal.aborted || isAbort(thrown)) return;
        const problem = toProblem(thrown);
        store.dispatch({ kind: "failed", problem });
        if (!mayPass(problem)) {
          store.dispatch({ kind: "connection", connection: { kind: "ended" } });
          return;
        }
        await pause(RETRY_MS, signal);
      }
    }
  }

  stop(): void {
    this.#stopped.abort();
    this.#batch.clear();
  }

  /** @returns whether the server did it; if not, the store says why. Never rejects. */
  async perform(name: JobActionName): Promise<boolean> {
    const { api, jobId, store } = this.#options;
    store.dispatch({ kind: "command", command: { kind: "running", name } });
    try {
      if (name === "delete") await api.remove(jobId);
      else await api.command(jobId, name);
      store.dispatch({ kind: "command", command: { kind: "none" } });
      return true;
    } catch (thrown) {
      store.dispatch({ kind: "command", command: { kind: "refused", name, problem: toProblem(thrown) } });
      return false;
    }
  }

  /**
   * Until stopped, or until events were missed: after a long time unseen or without a connection the server no longer keeps them all, and
   * only its metrics tell of those steps and epochs.
   * A page that nobody sees holds no stream open: a browser has six connections at once for all its pages of one server, and the seventh
   * page would get no answer at all.
   */
  async #follow(from: number): Promise<void> {
    const { api, jobId, store, pause, sight } = this.#options;
    let after = from;
    const behind = new AbortController();
    await whileSeen(sight, AbortSignal.any([this.#stopped.signal, behind.signal]), async (signal) => {
      const end = await followEvents({
        api,
        jobId,
        after,
        received: (events) => {
          after = events.at(-1)?.id ?? after;
          this.#batch.add(events);
        },
        connection: (connection) => store.dispatch({ kind: "connection", connection }),
        signal,
        pause,
      });
      if (end === "missed") behind.abort();
    });
  }

  #received(events: readonly NumberedEvent[]): void {
    this.#options.store.dispatch({ kind: "events", events });
    if (!events.some(({ event }) => TURNING_POINTS.includes(event.event))) return;
    this.#isBehind = true;
    void this.#catchUp();
  }

  /** Until an answer has come that was asked for after the latest turning point; one at a time. */
  async #catchUp(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { signal } = this.#stopped;
    while (this.#isBehind && !signal.aborted) {
      this.#isBehind = false;
      const problem = await this.#refresh();
      if (problem === null || !mayPass(problem)) continue;
      this.#isBehind = true;
      await this.#options.pause(RETRY_MS, signal);
    }
    this.#isReading = false;
  }

  /** Null: the figures were read. */
  async #refresh(): Promise<ApiProblem | null> {
    const { api, jobId, store } = this.#options;
    try {
      const detail = await api.job(jobId, this.#stopped.signal);
      // Events that came meanwhile are newer than this answer.
      const kind = detail.lastEventId >= store.state.lastEventId ? "refreshed" : "caughtUp";
      store.dispatch({ kind, detail });
      return null;
    } catch (thrown) {
      if (isAbort(thrown)) return null;
      const problem = toProblem(thrown);
      store.dispatch({ kind: "failed", problem });
      return problem;
    }
  }
}

/** A 401 does: the token may be entered meanwhile. */
function mayPass({ status, code }: ApiProblem): boolean {
  return code !== "PAGE_DEFECT" && (status === 0 || status === 401 || status >= 500);
}
