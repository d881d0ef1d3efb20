import type { Failure } from "../../shared/failure.js";
import type { FromWorker } from "../../shared/protocol/control-message.js";
import type { WorkerIdentity } from "./group-member.js";
import type { WorkerRecord } from "./worker-record.js";

export type WorkerLeftFailure = Extract<Failure, { code: "WORKER_LEFT" }>;

/** Whoever workers are lent to. */
export interface Tenant {
  /** Steps and epochs also while the worker is given back: the last ones before a failure. */
  received(worker: WorkerRecord, message: FromWorker): void;
  lost(worker: WorkerRecord, failure: Failure): void;
  /** A worker has to go, and can wait for some seconds until it is given back; then it is lost. */
  leaving(worker: WorkerRecord, failure: WorkerLeftFailure): void;
  /** For failures that name the worker. */
  identify(worker: WorkerRecord): WorkerIdentity;
  /** Now and then, to look after the workers. */
  look(nowMs: number): void;
}
