import { describeFailure } from "../../../shared/describe-failure.js";
import type { Failure } from "../../../shared/failure.js";

/** A failure taken apart for a page: who or what is to blame, and what to do. */
export interface Culprit {
  /** Label and value, e.g. `["Host", "node07"]`. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly remedy: string | null;
  /** What happened, without the remedy. */
  readonly problem: string;
}

/** What may be known of a culprit, in the order of telling. */
const LABELS: Readonly<Record<string, string>> = {
  rank: "Rank",
  host: "Host",
  pid: "Process",
  workerId: "Worker",
  replicas: "Replicas",
  epoch: "Epoch",
  step: "Step",
  file: "File",
  line: "Line",
  row: "Row",
  column: "Column",
  elementPath: "Element",
  option: "Option",
  engine: "Engine",
  endpoint: "Endpoint",
  path: "Path",
  tensor: "Tensor",
  how: "How it ended",
  phase: "Doing",
};

/** Pure. Works on every kind of failure: what it doesn't say is left out. */
export function culpritOf(failure: Failure): Culprit {
  const fields = new Map<string, unknown>(Object.entries(failure));
  const facts: [string, string][] = [];
  for (const [field, label] of Object.entries(LABELS)) {
    const text = textOf(fields.get(field));
    if (text !== null) facts.push([label, text]);
  }
  const remedy = textOf(fields.get("remedy"));
  const message = describeFailure(failure);
  const problem = remedy !== null && message.endsWith(`. ${remedy}`) ? message.slice(0, -remedy.length - 2) : message;
  return { facts, remedy, problem };
}

function textOf(value: unknown): string | null {
  if (Array.isArray(value)) return value.length === 0 ? null : value.join(", ");
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}
