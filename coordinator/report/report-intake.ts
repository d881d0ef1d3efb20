import type { DocumentReport, EventsReport, EventsTaken, StatusReport } from "../../shared/api/run-report.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobService, ModelFileReport } from "../service/job-service.js";
import { KeyedTurns } from "../service/keyed-turns.js";
import { unseenEvents } from "./unseen-events.js";

/** What of a service reports change and ask. */
export type ReportedJobs = Pick<JobService, "report" | "reportingRun" | "replacePart" | "setStatus" | "detail">;

interface Position {
  readonly run: string;
  /** Events of that run that the job has heard of. */
  readonly heard: number;
}

/** Jobs whose positions are known at once; the others are asked what they have heard of. */
const POSITIONS = 1000;

/**
 * Gives the service what runs elsewhere report, each thing once: reports may be repeated, also after a restart of this server. Reports
 * of one job are taken one after the other, those of different jobs side by side.
 */
export class ReportIntake {
  readonly #jobs: ReportedJobs;
  readonly #positions = new Map<JobId, Position>();
  readonly #turns = new KeyedTurns<JobId>();

  constructor(jobs: ReportedJobs) {
    this.#jobs = jobs;
  }

  /** @throws RingstrasseError as `JobService.report` */
  events(id: JobId, report: Omit<EventsReport, "kind">): Promise<EventsTaken> {
    return this.#turns.run(id, async () => {
      const fresh = await this.#fresh(id, report);
      if (fresh.length > 0) await this.#jobs.report(id, { kind: "events", events: fresh, run: report.run });
      const known = this.#positions.get(id);
      const heard = report.from + report.events.length;
      const next = known?.run === report.run ? Math.max(known.heard, heard) : heard;
      this.#remember(id, { run: report.run, heard: next });
      return { taken: fresh.length, next };
    });
  }

  /** The content is read to its end, or not at all. @throws RingstrasseError as `JobService.report` */
  modelFile(id: JobId, file: Omit<ModelFileReport, "kind">): Promise<void> {
    return this.#turns.run(id, () => this.#jobs.report(id, { kind: "modelFile", ...file }));
  }

  /** @throws RingstrasseError as `JobService.replacePart` */
  document(id: JobId, { part, xml }: Omit<DocumentReport, "kind">): Promise<void> {
    return this.#turns.run(id, async () => {
      await this.#jobs.replacePart(id, part, { format: "xml", bytes: Buffer.from(xml, "utf8") });
    });
  }

  /** A status that the job has already is no conflict. @throws RingstrasseError as `JobService.setStatus` */
  status(id: JobId, { status, message }: Omit<StatusReport, "kind">): Promise<void> {
    return this.#turns.run(id, async () => {
      try {
        await this.#jobs.setStatus(id, message === null ? { status } : { status, message });
      } catch (thrown) {
        const refused = thrown instanceof RingstrasseError && thrown.failure.code === "CONFLICT";
        if (!refused || (await this.#jobs.detail(id)).job.status !== status) throw thrown;
      }
    });
  }

  /**
   * A run that begins, and is not the one that the job was reported by, is new from its first event. Of a run that this process has heard
   * before, the count tells; of any other, what the job has heard of.
   */
  async #fresh(id: JobId, { run, from, events }: Omit<EventsReport, "kind">): Promise<EventsReport["events"]> {
    if (from === 0 && (await this.#jobs.reportingRun(id)) !== run) {
      // Since the job was queued again, a run without a name of its own may bear that of one before.
      this.#positions.delete(id);
      return events;
    }
    const known = this.#positions.get(id);
    if (known?.run === run) return events.slice(Math.max(0, known.heard - from));
    return unseenEvents(events, await this.#jobs.detail(id));
  }

  #remember(id: JobId, position: Position): void {
    this.#positions.delete(id);
    this.#positions.set(id, position);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > POSITIONS && oldest !== undefined) this.#positions.delete(oldest);
  }
}
