import { arcOf } from "../../shared/epoch-plan.js";

export interface MembershipPolicy {
  /** N: how many workers a generation is formed of. */
  readonly workers: number;
  /** R of the job; N ≤ R. */
  readonly replicas: number;
  /** How long to wait for the workers before giving up. */
  readonly joinTimeoutMs: number;
}

export interface Member {
  readonly workerId: string;
  readonly host: string;
  /** Workers of the same domain share memory; null: it shares none. */
  readonly memoryDomain: string | null;
  /** Launch order on its host, where the launcher gave one: makes ranks follow the order of the processes. */
  readonly localIndex: number | null;
  /** That its launcher has given it (an MPI rank); null: any will do. */
  readonly fixedRank: number | null;
}

/** A worker's place in a generation. */
export interface Assignment {
  readonly workerId: string;
  readonly rank: number;
  /** Its contiguous replicas, ascending. */
  readonly replicas: readonly number[];
}

export type MembershipDecision =
  | { readonly kind: "form"; readonly assignments: readonly Assignment[]; readonly reason: string }
  | { readonly kind: "wait"; readonly reason: string }
  | { readonly kind: "giveUp"; readonly reason: string };

/**
 * Decides who trains: pure, time comes in and a reason goes out. Arcs are ordered by host, and there by who shares memory, so that
 * workers of one host are neighbours on the ring, unless a launcher has fixed the ranks. Which worker gets which arc never changes a bit
 * of the result.
 */
export function decideMembership(
  waitedMs: number,
  members: readonly Member[],
  policy: MembershipPolicy,
): MembershipDecision {
  if (members.length < policy.workers) {
    const reason = `${members.length} of ${policy.workers} workers have joined`;
    return waitedMs < policy.joinTimeoutMs ? { kind: "wait", reason } : { kind: "giveUp", reason };
  }
  const chosen = [...members].sort(byPlace).slice(0, policy.workers);
  const assignments = chosen.map((member, rank): Assignment => {
    const arc = arcOf(rank, policy.workers, policy.replicas);
    const replicas = Array.from({ length: arc.to - arc.from }, (_, index) => arc.from + index);
    return { workerId: member.workerId, rank, replicas };
  });
  return { kind: "form", assignments, reason: `${chosen.length} workers are here` };
}

function byPlace(a: Member, b: Member): number {
  if (a.fixedRank !== null && b.fixedRank !== null) return a.fixedRank - b.fixedRank;
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  const [domainA, domainB] = [a.memoryDomain ?? "", b.memoryDomain ?? ""];
  if (domainA !== domainB) return domainA < domainB ? -1 : 1;
  if (a.localIndex !== b.localIndex) return (a.localIndex ?? Infinity) - (b.localIndex ?? Infinity);
  return a.workerId < b.workerId ? -1 : 1;
}
