import type { Failure } from "./failure.js";

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

type Loss = Extract<Failure, { code: "WORKER_DIED" | "WORKER_SILENT" | "WORKER_STALLED" }>;

/** Which worker was lost, where, and how. */
export function describeLoss(failure: Loss): string {
  const worker = describeWorker(failure);
  switch (failure.code) {
    case "WORKER_DIED":
      return `${worker} died (${failure.how})${describeLastWords(failure)}`;
    case "WORKER_SILENT":
      return `${worker} has been silent for ${failure.silentMs} ms: the process or its host stands still, or the network is cut`;
    case "WORKER_STALLED":
      return `${worker} answers, but has made no progress for ${failure.stalledMs} ms (${failure.phase})`;
  }
}

function describeWorker(who: Loss): string {
  const rank = who.rank === null ? "a worker without a rank" : `worker rank ${who.rank}`;
  const pid = who.pid === null ? "" : `, pid ${who.pid}`;
  const replicas = who.replicas.length === 0 ? "" : `, replicas ${who.replicas.join(" ")}`;
  const step = who.step === null ? "before the first step" : `in step ${who.step}`;
  return `${rank} (${who.host}${pid}${replicas}) ${step}`;
}

/** What a worker said before it died, as the end of a sentence; empty where it said nothing. */
function describeLastWords({ lastWords }: Extract<Failure, { code: "WORKER_DIED" }>): string {
  return lastWords === null ? "" : `; its last words: ${lastWords}`;
}

/** Who holds what that all should hold alike. */
export function describeDivergence({ what, hashes }: Extract<Failure, { code: "WORKERS_DIVERGED" }>): string {
  const all = Object.entries(hashes).map(([who, hash]) => `${who} ${hash}`);
  return `workers hold different ${what}: ${all.join(", ")}. This is a defect of the software or of a machine; please report it`;
}

/** What ended a run, and what it can go on from. */
export function describeInterruption({ signal, resumeFrom }: Extract<Failure, { code: "INTERRUPTED" }>): string {
  return `interrupted by ${signal}${resumeFrom === undefined ? "" : `; go on with --resume ${resumeFrom}`}`;
}
