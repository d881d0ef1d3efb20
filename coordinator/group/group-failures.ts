import type { Failure } from "../../shared/failure.js";
import type { JoinMessage } from "./control-server.js";
import type { GroupMember } from "./group-member.js";

/** Workers hold different things that must be the same. `value` says what a worker holds. */
export function divergence(
  what: string,
  workers: readonly GroupMember[],
  value: (worker: GroupMember) => string,
): Failure {
  const hashes = Object.fromEntries(workers.map((worker) => [`rank ${worker.assignment.rank}`, value(worker)]));
  return { code: "WORKERS_DIVERGED", what, hashes };
}

/** A worker for whom the job has no place. */
export function surplus(message: JoinMessage, workers: number): Failure {
  return {
    code: "WORKER_REFUSED",
    workerId: message.workerId,
    host: message.host,
    what: "the number of workers",
    expected: `${workers}`,
    got: "one more",
    remedy: "All places of this job are taken; start it with a larger --workers",
  };
}

export interface Rendezvous {
  readonly joined: number;
  readonly expected: number;
  readonly waitedMs: number;
  /** Where workers that are started by hand join; null: a launcher started them. */
  readonly endpoint: string | null;
}

/** Not all workers came in time. */
export function tooFew({ joined, expected, waitedMs, endpoint }: Rendezvous): Failure {
  const problem =
    endpoint === null
      ? "all were started; see whether the host is overloaded, and give them longer with --join-timeout"
      : `start the missing ones with: ringstrasse worker --coordinator ${endpoint}; --join-timeout sets how long to wait`;
  return { code: "RENDEZVOUS_TIMEOUT", joined, expected, waitedMs, problem };
}
