import { type RunReport, RunReportSchema } from "../../shared/api/run-report.js";

/**
 * A job's spool directory holds numbered reports, `0000000001.json`, `0000000002.json`, …, each a {@link RunReport} as one line of JSON
 * with its line end; beside the report of a model file its content, `0000000002.content`, which is there first. Files come by a rename,
 * whole and on disk; names that begin with a dot are unfinished. The server removes what it has taken in, and renames what it refuses to
 * `….refused`.
 */
const DIGITS = 10;

export type SpoolName =
  | { readonly kind: "report"; readonly number: number }
  | { readonly kind: "content"; readonly number: number }
  /** Not there yet, or set aside: nothing to do. */
  | { readonly kind: "ignored" }
  | { readonly kind: "foreign" };

export function reportName(number: number): string {
  return `${String(number).padStart(DIGITS, "0")}.json`;
}

export function contentName(number: number): string {
  return `${String(number).padStart(DIGITS, "0")}.content`;
}

export function refusedName(name: string): string {
  return `${name}.refused`;
}

/** Pure: what a file in a job's spool directory is. */
export function readSpoolName(name: string): SpoolName {
  if (/^\.\d{10}\.(json|content)\.unfinished-/.test(name) || /^\d{10}\.(json|content)\.refused$/.test(name)) {
    return { kind: "ignored" };
  }
  // NFS keeps deleted files that are still open under such names for a while.
  if (name.startsWith(".nfs")) return { kind: "ignored" };
  const [, digits, kind] = /^(\d{10})\.(json|content)$/.exec(name) ?? [];
  if (digits === undefined) return { kind: "foreign" };
  return { kind: kind === "json" ? "report" : "content", number: Number(digits) };
}

export function encodeReport(report: RunReport): Uint8Array {
  return Buffer.from(`${JSON.stringify(report)}\n`, "utf8");
}

export type DecodedReport =
  | { readonly kind: "report"; readonly report: RunReport }
  /** Its line end is missing: the file system does not show all of it yet. */
  | { readonly kind: "unfinished" }
  | { readonly kind: "invalid"; readonly problem: string };

/** Pure. */
export function decodeReport(bytes: Uint8Array): DecodedReport {
  const text = Buffer.from(bytes).toString("utf8");
  if (!text.endsWith("\n")) return { kind: "unfinished" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return { kind: "invalid", problem: `it is not JSON (${cause.message})` };
  }
  const result = RunReportSchema.safeParse(value);
  if (result.success) return { kind: "report", report: result.data };
  const issue = result.error.issues[0];
  const where = issue === undefined ? "" : `: ${issue.path.join(".") || "the whole"}: ${issue.message}`;
  return { kind: "invalid", problem: `it is no report of a run${where}` };
}
