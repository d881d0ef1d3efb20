import { type RingstrasseError, toFailure } from "../../shared/failure.js";

/** What a batch system says of a job. */
export type BatchState =
  /** `reason`: why, in the batch system's words. A job that it starts again waits too. */
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "running" }
  /** `state`: how, in the batch system's words; `exitCode` is null when it doesn't say, or a signal ended the job. */
  | { readonly kind: "ended"; readonly state: string; readonly exitCode: number | null }
  /** It knows nothing of such a job, or no longer. */
  | { readonly kind: "unknown" };

/** It does not say now, though it may know: what keeps the ends of jobs for it does not answer. Nothing follows from that. */
export interface Unanswered {
  readonly kind: "unanswered";
  /** BATCH_REFUSED. */
  readonly refusal: RingstrasseError;
}

export type BatchSubmission = { readonly kind: "submitted"; readonly batchJob: string } | NotNow;

/** Not now, through no fault of the job: too many are waiting, or the batch system is busy or doesn't answer. */
export interface NotNow {
  readonly kind: "later";
  readonly problem: string;
}

/** What follows from a question that the batch system did not answer. Pure. @throws what it is given, if that is no BATCH_REFUSED */
export function notNow(thrown: unknown): NotNow {
  const failure = toFailure(thrown);
  if (failure.code !== "BATCH_REFUSED") throw thrown;
  return { kind: "later", problem: failure.problem };
}

/**
 * A batch system as whoever runs jobs by it sees it. Calls may overlap. Each but {@link submit} rejects with BATCH_REFUSED when the batch
 * system isn't there or doesn't answer; then nothing is known. None takes for ever; `signal` gives a question up, which then rejects in the
 * same way.
 */
export interface BatchScheduler {
  /**
   * Hands over a script that says itself what it needs. After `later` it may have been taken all the same: see {@link find}.
   * @throws BATCH_REFUSED in the batch system's words: it won't take this one ever
   */
  submit(script: string): Promise<BatchSubmission>;

  /** All of them at once: one question. Some may stay unanswered, which keeps nobody from hearing of the others. */
  states(batchJobs: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, BatchState | Unanswered>>;

  /** The user's job of this name, the latest of several, whether it has ended or not; null: none is known. */
  find(name: string, signal?: AbortSignal): Promise<string | null>;

  /** Ends the job, waiting or running, on all its nodes; resolves when the batch system has taken that on. One that has ended will do. */
  cancel(batchJob: string, signal?: AbortSignal): Promise<void>;
}
