import type { ClusterWorker } from "../../../shared/api/cluster.js";
import { type ClusterState, ringsOf } from "../stores/cluster-store.js";
import { formatCount, formatDuration, formatRanges } from "../stores/format.js";
import { hashOf } from "../stores/route.js";
import { ProblemNote } from "./problem-note.js";
import { RingPicture } from "./ring-picture.js";
import { StatusBadge } from "./status-badge.js";

/** All workers of the cluster, the rings they form, and the jobs that wait for them. */
export function WorkersPage({ state: { cluster, problem } }: { readonly state: ClusterState }) {
  return (
    <>
      <div class="heading">
        <h1>Workers</h1>
      </div>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {cluster === null ? (
        <p class="empty" aria-busy={problem === null}>
          {problem === null ? "Reading the cluster…" : "No answer yet."}
        </p>
      ) : (
        <>
          <WorkerTable workers={cluster.workers} />
          <Rings workers={cluster.workers} />
          <Queue ids={cluster.queue} queued={cluster.queued} />
        </>
      )}
    </>
  );
}

function WorkerTable({ workers }: { readonly workers: readonly ClusterWorker[] }) {
  if (workers.length === 0) {
    return (
      <p class="empty">
        No worker has joined. Start one with <code>ringstrasse worker --coordinator tcp://HOST:PORT</code>
      </p>
    );
  }
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Worker</th>
            <th scope="col">Host</th>
            <th scope="col" class="number">
              Process
            </th>
            <th scope="col">Engine</th>
            <th scope="col">Job</th>
            <th scope="col" class="number">
              Rank
            </th>
            <th scope="col">Replicas</th>
            <th scope="col" class="number">
              Step
            </th>
            <th scope="col" class="number">
              Last heard of
            </th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <WorkerRow key={worker.id} worker={worker} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function WorkerRow({ worker }: { readonly worker: ClusterWorker }) {
  const { id, host, pid, state, jobId, rank, replicas, engine, lastHeartbeatMs, step } = worker;
  return (
    <tr data-worker={id}>
      <td>
        <StatusBadge status={state} />
      </td>
      <th scope="row">
        <code>{id}</code>
      </th>
      <td>{host}</td>
      <td class="number">{pid ?? "–"}</td>
      <td>{engine}</td>
      <td>{jobId === null ? "–" : <JobLink id={jobId} />}</td>
      <td class="number">{rank ?? "–"}</td>
      <td>{formatRanges(replicas)}</td>
      <td class="number">{formatCount(step)}</td>
      <td class="number">{formatDuration(lastHeartbeatMs)} ago</td>
    </tr>
  );
}

function Rings({ workers }: { readonly workers: readonly ClusterWorker[] }) {
  const rings = ringsOf(workers);
  if (rings.length === 0) return null;
  return (
    <section aria-labelledby="rings-title">
      <h2 id="rings-title">Rings at work</h2>
      <div class="rings">
        {rings.map(({ jobId, workers: members }) => (
          <figure key={jobId}>
            <RingPicture
              nodes={members.map(({ rank, host, replicas, state }) => ({
                rank,
                host,
                replicas,
                mark: state === "lost" ? "lost" : null,
              }))}
            />
            <figcaption>
              <JobLink id={jobId} />
            </figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}

function Queue({ ids, queued }: { readonly ids: readonly string[]; readonly queued: number }) {
  return (
    <section aria-labelledby="queue-title">
      <h2 id="queue-title">Queue</h2>
      {ids.length === 0 ? (
        <p class="muted">No job is waiting.</p>
      ) : (
        <ol class="queue">
          {ids.map((id) => (
            <li key={id}>
              <JobLink id={id} />
            </li>
          ))}
          {queued > ids.length ? <li class="muted">and {queued - ids.length} more</li> : null}
        </ol>
      )}
    </section>
  );
}

function JobLink({ id }: { readonly id: string }) {
  return (
    <a href={hashOf({ page: "job", id })}>
      <code>{id}</code>
    </a>
  );
}
