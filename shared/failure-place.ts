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

/** A worker of a job, for people. */
export function describeWorker(
  who: Extract<Failure, { code: "WORKER_DIED" | "WORKER_LEFT" | "WORKER_SILENT" | "WORKER_STALLED" }>,
): string {
  const rank = who.rank === null ? "a worker without a rank" : `worker rank ${who.rank}`;
  const pid = who.pid === null ? "" : `, pid ${who.pid}`;
  const replicas = who.replicas.length === 0 ? "" : `, replicas ${who.replicas.join(" ")}`;
  const step = who.step === null ? "before the first step" : `in step ${who.step}`;
  return `${rank} (${who.host}${pid}${replicas}) ${step}`;
}

/** What a worker said before it died, as the end of a sentence; empty where it said nothing. */
export function describeLastWords({ lastWords }: Extract<Failure, { code: "WORKER_DIED" }>): string {
  return lastWords === null ? "" : `; its last words: ${lastWords}`;
}
