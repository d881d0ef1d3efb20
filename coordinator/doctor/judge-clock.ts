import type { Finding } from "./finding.js";

/** Beyond this, times in the logs of two hosts can't be put side by side. The way of the message that told of the clock is in it. */
const TOLERATED_MS = 2000;

/** Whether this host's clock is kept right. Pure. @param isSynchronised null: nobody here knows */
export function judgeClock(isSynchronised: boolean | null): Finding {
  const check = "clock";
  const facts = { synchronised: isSynchronised === null ? null : isSynchronised ? "yes" : "no" };
  if (isSynchronised === null) {
    const found = "nobody here says whether it is synchronised; between the ranks of a run it is compared";
    return { check, status: "absent", found, facts, remedy: null };
  }
  if (isSynchronised) return { check, status: "ok", found: "synchronised", facts, remedy: null };
  const remedy = "Start a time service (timedatectl set-ntp true, or chrony), so that logs of several hosts agree";
  return { check, status: "warning", found: "not synchronised", facts, remedy };
}

/** Another rank's clock beside rank 0's. */
export interface RankClock {
  readonly rank: number;
  readonly host: string;
  /** Milliseconds that it is ahead of rank 0's; behind: negative. */
  readonly aheadMs: number;
}

/** Whether the clocks of two ranks of a run agree. Training itself goes by no clock. Pure. */
export function judgeClockSkew({ rank, host, aheadMs }: RankClock): Finding {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1);
  const agrees = Math.abs(aheadMs) <= TOLERATED_MS;
  return {
    check: "clock",
    status: agrees ? "ok" : "warning",
    found: `the clock of rank ${rank} (${host}) is ${seconds} s ${aheadMs < 0 ? "behind" : "ahead of"} rank 0's`,
    facts: { rank, host, aheadMs },
    remedy: agrees ? null : `Synchronise the clocks (timedatectl set-ntp true on ${host}, or chrony): logs don't agree`,
  };
}
