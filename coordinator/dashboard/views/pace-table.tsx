import type { GenerationEvent } from "../../../shared/train-events.js";
import { formatBytes, formatCount, formatDuration, formatPercent, formatRanges } from "../stores/format.js";
import type { WorkerPace } from "../stores/worker-pace.js";

export interface PaceTableProps {
  readonly workers: GenerationEvent["workers"];
  readonly pace: readonly WorkerPace[];
  readonly step: number | null;
}

/** What each worker did in the last step. */
export function PaceTable({ workers, pace, step }: PaceTableProps) {
  const paces = new Map(pace.map((one) => [one.rank, one]));
  return (
    <div class="scroll">
      <table>
        <caption>{step === null ? "Before the first step" : `Step ${formatCount(step)}`}</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              Rank
            </th>
            <th scope="col">Host</th>
            <th scope="col" class="number">
              Process
            </th>
            <th scope="col">Replicas</th>
            <th scope="col" class="number">
              Rows
            </th>
            <th scope="col" class="number">
              Computing
            </th>
            <th scope="col" class="number">
              Waiting
            </th>
            <th scope="col" class="number">
              Share
            </th>
            <th scope="col" class="number">
              Sent
            </th>
            <th scope="col" class="number">
              Received
            </th>
            <th scope="col">Pace</th>
          </tr>
        </thead>
        <tbody>
          {workers.map(({ rank, host, pid, replicas }) => (
            <tr key={rank} data-rank={rank}>
              <th scope="row" class="number">
                {rank}
              </th>
              <td>{host}</td>
              <td class="number">{pid ?? "–"}</td>
              <td>{formatRanges(replicas)}</td>
              <PaceCells pace={paces.get(rank)} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PaceCells({ pace }: { readonly pace: WorkerPace | undefined }) {
  if (pace === undefined) {
    return (
      <td colSpan={7} class="muted">
        no step yet
      </td>
    );
  }
  const { rows, computeMs, communicationMs, sentBytes, receivedBytes } = pace;
  const totalMs = computeMs + communicationMs;
  return (
    <>
      <td class="number">{formatCount(rows)}</td>
      <td class="number">{formatDuration(computeMs)}</td>
      <td class="number">{formatDuration(communicationMs)}</td>
      <td class="number">{totalMs === 0 ? "–" : formatPercent(communicationMs / totalMs)}</td>
      <td class="number">{formatBytes(sentBytes)}</td>
      <td class="number">{formatBytes(receivedBytes)}</td>
      <td>{paceText(pace)}</td>
    </>
  );
}

/** One step alone says nothing about a worker. */
function paceText({ slow, steps }: WorkerPace) {
  if (slow) return <span class="slow-mark">slow: others wait</span>;
  return <span class="muted">{steps > 1 ? "even" : "–"}</span>;
}
