import type { JobStatus } from "../../../shared/api/job-status.js";
import type { JobPage } from "../../../shared/api/job-summary.js";
import { unreachable } from "../../../shared/unreachable.js";
import type { ApiProblem } from "../api/api-error.js";

/** One page of the job list, newest first, read again and again. */
export interface JobsState {
  readonly status: JobStatus | null;
  /** Cursors of the pages before the one shown: its own is the last, null the newest page's. */
  readonly cursors: readonly (string | null)[];
  /** Null until the page shown has come. */
  readonly shown: JobPage | null;
  /** Words that a job's name or id must contain. */
  readonly words: string;
  /** Of the latest reading; what was shown stays. */
  readonly problem: ApiProblem | null;
}

export type JobsAction =
  | { readonly kind: "filtered"; readonly status: JobStatus | null }
  | { readonly kind: "searched"; readonly words: string }
  | { readonly kind: "older" }
  | { readonly kind: "newer" }
  /** `status` and `cursor` as they were asked for: an answer to an older question is dropped. */
  | {
      readonly kind: "loaded";
      readonly status: JobStatus | null;
      readonly cursor: string | null;
      readonly page: JobPage;
    }
  | { readonly kind: "failed"; readonly problem: ApiProblem };

export const FIRST_JOBS: JobsState = { status: null, cursors: [null], shown: null, words: "", problem: null };

/** The cursor of the page shown. */
export function cursorOf(state: JobsState): string | null {
  return state.cursors.at(-1) ?? null;
}

/** The jobs of the page shown that match the words. Pure. */
export function matchingJobs({ shown, words }: JobsState): JobPage["jobs"] {
  const wanted = words.trim().toLowerCase();
  const jobs = shown?.jobs ?? [];
  if (wanted === "") return jobs;
  return jobs.filter(({ id, name }) => id.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted));
}

/** Pure. */
export function reduceJobs(state: JobsState, action: JobsAction): JobsState {
  switch (action.kind) {
    case "filtered":
      if (action.status === state.status) return state;
      return { ...FIRST_JOBS, words: state.words, status: action.status };
    case "searched":
      return { ...state, words: action.words };
    case "older": {
      const next = state.shown?.next ?? null;
      return next === null ? state : { ...state, cursors: [...state.cursors, next], shown: null };
    }
    case "newer":
      return state.cursors.length === 1 ? state : { ...state, cursors: state.cursors.slice(0, -1), shown: null };
    case "loaded":
      if (action.status !== state.status || action.cursor !== cursorOf(state)) return state;
      return { ...state, shown: action.page, problem: null };
    case "failed":
      return { ...state, problem: action.problem };
    default:
      return unreachable(action);
  }
}
