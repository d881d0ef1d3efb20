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

/** Ranks that a launcher has numbered, as far as they have been heard of. */
export interface KnownRanks {
  readonly joined: readonly number[];
  /** Those whose processes run and have not joined, with their hosts. */
  readonly begun: ReadonlyMap<number, string>;
}

/** So many are named. */
const MOST_RANKS_NAMED = 8;

export interface Rendezvous {
  readonly joined: number;
  readonly expected: number;
  readonly waitedMs: number;
  /** Where workers that are started by hand join; null: a launcher started them. */
  readonly endpoint: string | null;
  /** Null: workers have no ranks yet. */
  readonly ranks: KnownRanks | null;
}

/** Not all workers came in time. */
export function tooFew({ joined, expected, waitedMs, endpoint, ranks }: Rendezvous): Failure {
  const problem =
    endpoint !== null
      ? `start the missing ones with: ringstrasse worker --coordinator ${endpoint}; --join-timeout sets how long to wait`
      : ranks !== null
        ? `${missingRanks(expected, ranks)}; see whether hosts are overloaded or can't reach rank 0's, and give ranks longer with --join-timeout`
        : "all were started; see whether the host is overloaded, and give them longer with --join-timeout";
  return { code: "RENDEZVOUS_TIMEOUT", joined, expected, waitedMs, problem };
}

/** e.g. `missing: rank 1 (not heard of), rank 2 (started on node7)`. */
function missingRanks(expected: number, { joined, begun }: KnownRanks): string {
  const missing = Array.from({ length: expected }, (_, rank) => rank).filter((rank) => !joined.includes(rank));
  const named = missing.slice(0, MOST_RANKS_NAMED).map((rank) => {
    const host = begun.get(rank);
    return host === undefined ? `rank ${rank} (not heard of)` : `rank ${rank} (started on ${host})`;
  });
  const more = missing.length - named.length;
  return `missing: ${named.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}
