import type { Failure } from "./failure.js";
import { unreachable } from "./unreachable.js";

/** A cell of a table, for people. */
export function describeCell({ file, row, column }: Extract<Failure, { code: "DATA_INVALID" }>): string {
  return `${file}${row === null ? "" : `, row ${row}`}${column === null ? "" : `, column ${column}`}`;
}

/** A place in a document, as the beginning of a sentence; empty where it is not known. */
export function describePlace(where: Extract<Failure, { code: "DOCUMENT_INVALID" | "DOCUMENT_UNSUPPORTED" }>): string {
  const line = where.line === null ? "" : `:${where.line}${where.column === null ? "" : `:${where.column}`}`;
  const file = where.file === null ? "" : `${where.file}${line}: `;
  const path = where.elementPath === null ? "" : `${where.elementPath}: `;
  return file + path;
}

/** A worker that a job has lost. */
export type WorkerLoss = Extract<Failure, { code: "WORKER_DIED" | "WORKER_LEFT" | "WORKER_SILENT" | "WORKER_STALLED" }>;

/** The end of a run that is neither the job's will nor a person's: another run of it may get further. */
export type InterruptionFailure = Extract<
  Failure,
  { code: "INTERRUPTED" | "WORKER_DIED" | "WORKER_SILENT" | "WORKER_STALLED" }
>;

/** Who it was, and how it was lost. */
export function describeLoss(failure: WorkerLoss): string {
  const who = describeWorker(failure);
  switch (failure.code) {
    case "WORKER_DIED":
      return `${who} died (${failure.how})${failure.lastWords === null ? "" : `; its last words: ${failure.lastWords}`}`;
    case "WORKER_LEFT":
      return `${who} was told to leave by ${failure.signal}${describeResume(failure)}`;
    case "WORKER_SILENT":
      return `${who} has been silent for ${failure.silentMs} ms: the process or its host stands still, or the network is cut`;
    case "WORKER_STALLED":
      return `${who} answers, but has made no progress for ${failure.stalledMs} ms (${failure.phase})`;
    default:
      return unreachable(failure);
  }
}

/** How to go on after an end with a saved state, as the end of a sentence; empty where nothing was saved. */
export function describeResume({ resumeFrom }: { readonly resumeFrom?: string | undefined }): string {
  return resumeFrom === undefined ? "" : `; go on with --resume ${resumeFrom}`;
}

/** Why a job that was interrupted doesn't go on, and what to do, as the end of a message; empty where it is for another reason. */
export function describeRepetition(failure: WorkerLoss | InterruptionFailure): string {
  if (!("repeated" in failure) || failure.repeated === undefined) return "";
  const { times, step } = failure.repeated;
  const [place, next] =
    step === 0
      ? ["before a first checkpoint", "it begins at its beginning"]
      : [`without a newer checkpoint than that of step ${step}`, "it goes on from there"];
  const remedy = "Find out what ends its runs (memory, the machine), or have its state saved more often";
  return `. That was interruption ${times} in a row ${place}, so the job has ended. ${remedy} (--checkpoint-minutes, --checkpoint-steps); queued again, ${next}`;
}

function describeWorker(who: WorkerLoss): string {
  const rank = who.rank === null ? "a worker without a rank" : `worker rank ${who.rank}`;
  const pid = who.pid === null ? "" : `, pid ${who.pid}`;
  const replicas = who.replicas.length === 0 ? "" : `, replicas ${who.replicas.join(" ")}`;
  const step = who.step === null ? "before the first step" : `in step ${who.step}`;
  return `${rank} (${who.host}${pid}${replicas}) ${step}`;
}

/** Who holds what that all should hold alike. */
export function describeDivergence({ what, hashes }: Extract<Failure, { code: "WORKERS_DIVERGED" }>): string {
  const all = Object.entries(hashes).map(([who, hash]) => `${who} ${hash}`);
  return `workers hold different ${what}: ${all.join(", ")}. This is a defect of the software or of a machine; please report it`;
}

/** What ended a run, and what it can go on from. */
export function describeInterruption({ signal, resumeFrom }: Extract<Failure, { code: "INTERRUPTED" }>): string {
  return `interrupted by ${signal}${describeResume({ resumeFrom })}`;
}

/** A choice that can't be had, and those that can. */
export function describeChoice(failure: Extract<Failure, { code: "CHOICE_UNSUPPORTED" }>): string {
  const supported = failure.supported.length === 0 ? "" : ` Supported: ${failure.supported.join(", ")}.`;
  const choice = failure.value === "" ? failure.option : `${failure.option} ${failure.value}`;
  return `${choice} is not available.${supported} ${failure.remedy}`;
}
