import { useEffect, useMemo } from "preact/hooks";
import type { ApiClient } from "../api/api-client.js";
import { JobCharts } from "../charts/job-charts.js";
import { documentSight } from "../controllers/document-sight.js";
import { JobController } from "../controllers/job-controller.js";
import { pageWaits } from "../controllers/page-pause.js";
import { EMPTY_JOB, type JobState, reduceJob } from "../stores/job-store.js";
import { hashOf } from "../stores/route.js";
import { createStore } from "../stores/store.js";
import { ConfigurationTable } from "./configuration-table.js";
import { DocumentPanel } from "./document-panel.js";
import { FailurePanel } from "./failure-panel.js";
import { JobFigures } from "./job-figures.js";
import { JobHeader } from "./job-header.js";
import { PaceTable } from "./pace-table.js";
import { ProblemNote } from "./problem-note.js";
import { ResultPanel } from "./result-panel.js";
import { RingPicture } from "./ring-picture.js";
import { useStore } from "./use-store.js";

/** Everything about one job, live. */
export function JobPage({ api, id }: { readonly api: ApiClient; readonly id: string }) {
  const { store, controller } = useMemo(() => {
    const store = createStore(EMPTY_JOB, reduceJob);
    const sight = documentSight(document);
    return { store, controller: new JobController({ api, jobId: id, store, pause: pageWaits, sight }) };
  }, [api, id]);
  useEffect(() => {
    void controller.start();
    return () => controller.stop();
  }, [controller]);
  const state = useStore(store);
  const { detail, problem } = state;
  if (detail === null) {
    return problem === null ? (
      <p class="empty" aria-busy="true">
        Reading job {id}…
      </p>
    ) : (
      <>
        <ProblemNote problem={problem} title={`Job ${id} can't be shown.`} />
        <p>
          <a href={hashOf({ page: "jobs", status: null })}>See all jobs</a>
        </p>
      </>
    );
  }
  return (
    <>
      <JobHeader
        job={detail.job}
        connection={state.connection}
        command={state.command}
        isGone={problem?.code === "NOT_FOUND"}
        controller={controller}
      />
      {problem === null ? null : <ProblemNote problem={problem} />}
      <FailurePanel job={detail.job} failure={detail.failure} />
      {detail.warnings.map((warning) => (
        <p key={warning} class="note warning">
          <strong>Warning</strong> {warning}
        </p>
      ))}
      <JobFigures state={state} />
      <JobCharts curves={state.curves} />
      <RingSection state={state} />
      <div class="columns">
        <ResultPanel api={api} detail={detail} />
        <ConfigurationTable started={detail.started} />
      </div>
      <DocumentPanel api={api} id={id} />
    </>
  );
}

function RingSection({ state: { detail, pace } }: { readonly state: JobState }) {
  const generation = detail?.generation ?? null;
  if (generation === null) return null;
  const paces = new Map(pace.map((one) => [one.rank, one]));
  const nodes = generation.workers.map(({ rank, host, replicas }) => {
    const slow = paces.get(rank)?.slow === true;
    return { rank, host, replicas, mark: slow ? ("slow" as const) : null };
  });
  return (
    <section class="ring-section" aria-labelledby="ring-title">
      <h2 id="ring-title">
        Ring{" "}
        <span class="muted">
          generation {generation.generation}: {generation.reason}
        </span>
      </h2>
      <div class="ring-and-table">
        <RingPicture nodes={nodes} />
        <PaceTable workers={generation.workers} pace={pace} step={detail?.lastStep?.step ?? null} />
      </div>
    </section>
  );
}
