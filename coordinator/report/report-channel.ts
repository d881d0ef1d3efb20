import type { DocumentReport, EventsReport, ModelFileName, StatusReport } from "../../shared/api/run-report.js";

/** A report as the side that trains has it: a model's file is still a file. */
export type OutgoingReport = StatusReport | EventsReport | DocumentReport | OutgoingModelFile;

export interface OutgoingModelFile {
  readonly kind: "modelFile";
  readonly name: ModelFileName;
  readonly path: string;
}

export type Delivery =
  | { readonly kind: "delivered" }
  /** Try again: the other side is away, slow, or in trouble. */
  | { readonly kind: "failed"; readonly problem: string }
  /** There is no use in trying again: not with this report, or (`run`) not with any of this run's. */
  | { readonly kind: "refused"; readonly scope: "report" | "run"; readonly problem: string; readonly remedy: string };

/** A way to the server. One call of {@link deliver} at a time. */
export interface ReportChannel {
  /** For people: where the reports go. */
  readonly target: string;

  /**
   * Gives one report away; delivered means that it is on the other side's disk, or will get there without this process. The same
   * report may be given again. Never rejects, but for mistakes of this software.
   * @param signal aborts with any reason: the answer is `failed`
   */
  deliver(report: OutgoingReport, signal: AbortSignal): Promise<Delivery>;

  /** The run has ended: from here on nothing is held back to spare the other side. */
  hurry(): void;
}

/** For people: which report this is. */
export function describeReport(report: OutgoingReport): string {
  switch (report.kind) {
    case "status":
      return `status ${report.status}`;
    case "events":
      return `${report.events.length} events`;
    case "document":
      return `document ${report.part}`;
    case "modelFile":
      return `model file ${report.name}`;
  }
}
