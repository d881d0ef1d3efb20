import type { MeasuredChoice } from "../../shared/collective-choice.js";
import type { FromWorker, SegmentPlace } from "../../shared/protocol/control-message.js";
import type { Assignment } from "./membership.js";
import type { WorkerRecord } from "./worker-record.js";

/** Who a worker is, for failures that name it. */
export interface WorkerIdentity {
  readonly rank: number | null;
  readonly host: string;
  readonly pid: number | null;
  readonly replicas: number[];
  readonly step: number | null;
}

/** A worker in one generation of one job. */
export class GroupMember {
  readonly worker: WorkerRecord;
  readonly assignment: Assignment;
  /** Its end of the ring; undefined until it is ready, null where no ring is needed. */
  ringEndpoint: string | null | undefined = undefined;
  /** The memory that it shares; null where none is. */
  segment: SegmentPlace | null = null;
  layoutHash: string | null = null;
  /** The collective that it has measured to be fastest; null: it has not said so, or there was no choice. */
  choice: MeasuredChoice | null = null;
  finished: Extract<FromWorker, { kind: "finished" }> | null = null;

  constructor(worker: WorkerRecord, assignment: Assignment) {
    this.worker = worker;
    this.assignment = assignment;
  }

  get identity(): WorkerIdentity {
    const { rank, replicas } = this.assignment;
    const { step } = this.worker.vitals;
    return { ...strangerIdentity(this.worker), rank, replicas: [...replicas], step: step === 0 ? null : step };
  }
}

/** A worker that is in no generation. */
export function strangerIdentity({ join }: WorkerRecord): WorkerIdentity {
  return { rank: null, host: join.host, pid: join.pid, replicas: [], step: null };
}
