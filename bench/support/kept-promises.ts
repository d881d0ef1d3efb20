import { createHash } from "node:crypto";
import type { IrisKind } from "./iris-jobs.js";

/** What a server has acknowledged about one job, and what it may have done without saying so. */
export interface PromisedJob {
  readonly id: string;
  kind: IrisKind;
  title: string;
  /** Statuses in which it may be. */
  legal: ReadonlySet<string>;
  /** Whether somebody asked to cancel it since it was last queued. */
  cancelAsked: boolean;
  /** Kind and title of a definition whose replacement was not acknowledged. */
  maybe: { readonly kind: IrisKind } | null;
  /** Seen FINISHED with these weights; a retrain makes it null. */
  weightsSha256: string | null;
  /** Its end has been seen, and that its followers hear of it. */
  endIsTold: boolean;
  /** A removal was asked for (`maybe`), or acknowledged (`yes`). */
  removed: "no" | "maybe" | "yes";
  /** One client at a time works on it. */
  busy: boolean;
}

export interface PromisedFile {
  readonly sha256: string;
  readonly sizeBytes: number;
}

const QUEUED_ONWARDS = ["QUEUED", "INPROGRESS", "FINISHED", "ERROR"];

/** What clients of a soak have been promised, over all the servers that they have seen. */
export class KeptPromises {
  readonly jobs = new Map<string, PromisedJob>();
  /** By id. */
  readonly files = new Map<string, PromisedFile>();
  /** Ids of files that an earlier check has read and found whole. */
  readonly wholeFiles = new Set<string>();
  /** Contents that were on their way when a server was killed, by SHA-256: they may be there, whole. */
  readonly maybeFiles = new Set<string>();
  /** Titles of documents that were on their way. */
  readonly maybeTitles = new Set<string>();

  posted(id: string, kind: IrisKind, title: string): PromisedJob {
    const job: PromisedJob = {
      id,
      kind,
      title,
      legal: new Set(["CREATED"]),
      cancelAsked: false,
      maybe: null,
      weightsSha256: null,
      endIsTold: false,
      removed: "no",
      busy: false,
    };
    this.jobs.set(id, job);
    return job;
  }

  /** Jobs that are there for certain and that nobody works on. */
  free(): PromisedJob[] {
    return [...this.jobs.values()].filter((job) => !job.busy && job.removed === "no");
  }

  /**
   * Before something is asked for: from here on either may be. The returned function says that it was acknowledged.
   */
  queueing(job: PromisedJob): () => void {
    job.weightsSha256 = null;
    job.legal = new Set([...job.legal, ...QUEUED_ONWARDS]);
    return () => {
      job.cancelAsked = false;
      job.legal = new Set(QUEUED_ONWARDS);
    };
  }

  /** As {@link queueing}. */
  cancelling(job: PromisedJob): () => void {
    job.cancelAsked = true;
    job.legal = new Set([...job.legal, "ERROR"]);
    return () => {
      job.legal = new Set(["ERROR"]);
    };
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
