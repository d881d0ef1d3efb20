import { useEffect, useState } from "preact/hooks";
import { type JobStatus, JobStatusSchema } from "../../../shared/api/job-status.js";
import type { ApiClient } from "../api/api-client.js";
import { pageMayWait } from "../controllers/page-pause.js";
import { poll } from "../controllers/poll.js";
import { cursorOf, FIRST_JOBS, matchingJobs, reduceJobs } from "../stores/jobs-store.js";
import { hashOf } from "../stores/route.js";
import { createStore } from "../stores/store.js";
import { JobTable } from "./job-table.js";
import { ProblemNote } from "./problem-note.js";
import { useStore } from "./use-store.js";

const PAGE_SIZE = 50;
const INTERVAL_MS = 1_000;

/** All jobs, newest first, a page at a time; kept up to date. */
export function JobsPage({ api, status }: { readonly api: ApiClient; readonly status: JobStatus | null }) {
  const [store] = useState(() => createStore({ ...FIRST_JOBS, status }, reduceJobs));
  const state = useStore(store);
  const cursor = cursorOf(state);
  useEffect(() => store.dispatch({ kind: "filtered", status }), [store, status]);
  useEffect(() => {
    const stopped = new AbortController();
    const { signal } = stopped;
    void poll({
      read: (aborted) => api.jobs({ limit: PAGE_SIZE, cursor, status }, aborted),
      loaded: (page) => store.dispatch({ kind: "loaded", status, cursor, page }),
      failed: (problem) => store.dispatch({ kind: "failed", problem }),
      intervalMs: INTERVAL_MS,
      signal,
      pause: pageMayWait,
    });
    return () => stopped.abort();
  }, [api, store, status, cursor]);

  const jobs = matchingJobs(state);
  return (
    <>
      <div class="heading">
        <h1>Jobs</h1>
        <StatusFilter current={status} />
        <label class="search">
          <span class="sr-only">Filter this page by name or id</span>
          <input
            type="search"
            placeholder="Name or id on this page"
            value={state.words}
            onInput={(event) => store.dispatch({ kind: "searched", words: event.currentTarget.value })}
          />
        </label>
      </div>
      {state.problem === null ? null : <ProblemNote problem={state.problem} />}
      {state.shown === null ? (
        <p class="empty" aria-busy={state.problem === null}>
          {state.problem === null ? "Reading the jobs…" : "No answer yet."}
        </p>
      ) : jobs.length === 0 ? (
        <p class="empty">
          {emptyText(status, state.words)} <a href={hashOf({ page: "submit" })}>Submit a document</a>
        </p>
      ) : (
        <JobTable jobs={jobs} />
      )}
      <div class="paging">
        <button type="button" disabled={state.cursors.length === 1} onClick={() => store.dispatch({ kind: "newer" })}>
          ← Newer
        </button>
        <span class="muted">page {state.cursors.length}</span>
        <button
          type="button"
          disabled={(state.shown?.next ?? null) === null}
          onClick={() => store.dispatch({ kind: "older" })}
        >
          Older →
        </button>
      </div>
    </>
  );
}

function StatusFilter({ current }: { readonly current: JobStatus | null }) {
  const choices = [null, ...JobStatusSchema.options];
  return (
    <nav class="filter" aria-label="Filter by status">
      {choices.map((status) => (
        <a key={status} href={hashOf({ page: "jobs", status })} aria-current={status === current ? "true" : undefined}>
          {status === null ? "All" : status}
        </a>
      ))}
    </nav>
  );
}

function emptyText(status: JobStatus | null, words: string): string {
  if (words.trim() !== "") return `No job on this page matches “${words.trim()}”.`;
  return status === null ? "No jobs yet." : `No job is ${status}.`;
}
