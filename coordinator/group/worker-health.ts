import type { Phase } from "../../shared/protocol/control-message.js";

export interface HealthPolicy {
  /** No heartbeat for so long: the worker stands still or is cut off. */
  readonly silentAfterMs: number;
  /** Heartbeats, but no progress of the computation for so long. */
  readonly stalledAfterMs: number;
}

/** What is known of one worker's life signs. Times on the watch's own clock, see {@link WatchClock}. */
export interface Vitals {
  readonly workerId: string;
  readonly lastHeartbeatMs: number;
  /** When `progress` last rose. */
  readonly lastProgressMs: number;
  readonly phase: Phase;
  readonly step: number;
}

export type HealthVerdict =
  | { readonly kind: "healthy" }
  | { readonly kind: "silent"; readonly workerId: string; readonly silentMs: number }
  | { readonly kind: "stalled"; readonly workerId: string; readonly stalledMs: number; readonly why: string };

/**
 * Names the worker that holds the others up, if any: pure, so every rule is a table test. Workers that wait in an exchange
 * are victims, not culprits, unless all that have not finished wait: then frames were lost, and the one furthest behind is named.
 */
export function judgeHealth(nowMs: number, workers: readonly Vitals[], policy: HealthPolicy): HealthVerdict {
  const silent = workers
    .filter((worker) => nowMs - worker.lastHeartbeatMs > policy.silentAfterMs)
    .sort((a, b) => a.lastHeartbeatMs - b.lastHeartbeatMs)[0];
  if (silent !== undefined) {
    return { kind: "silent", workerId: silent.workerId, silentMs: nowMs - silent.lastHeartbeatMs };
  }
  // Idle ones have all their totals: nothing that the others still wait for will come from them.
  const busy = workers.filter(({ phase }) => phase !== "idle");
  const stalled = busy
    .filter((worker) => nowMs - worker.lastProgressMs > policy.stalledAfterMs)
    .sort((a, b) => a.step - b.step || a.lastProgressMs - b.lastProgressMs);
  const culprit = stalled.find((worker) => worker.phase !== "exchange");
  if (culprit !== undefined) {
    const stalledMs = nowMs - culprit.lastProgressMs;
    return { kind: "stalled", workerId: culprit.workerId, stalledMs, why: `phase ${culprit.phase}` };
  }
  const behind = stalled[0];
  if (behind !== undefined && stalled.length === busy.length) {
    const stalledMs = nowMs - behind.lastProgressMs;
    return {
      kind: "stalled",
      workerId: behind.workerId,
      stalledMs,
      why: "all workers that have not finished wait in the exchange, this one furthest behind",
    };
  }
  return { kind: "healthy" };
}

/**
 * A clock that does not count the watcher's own pauses. When the coordinator itself is stopped or starved, heartbeats
 * wait unread in its queue and every worker would look dead; so a gap between two ticks counts for at most `maxGapMs`.
 */
export class WatchClock {
  readonly #maxGapMs: number;
  #lastMs: number | null = null;
  #elapsedMs = 0;

  constructor(maxGapMs: number) {
    this.#maxGapMs = maxGapMs;
  }

  /** @param nowMs a monotonic clock. @returns the watch's time. */
  tick(nowMs: number): number {
    if (this.#lastMs !== null) this.#elapsedMs += Math.min(nowMs - this.#lastMs, this.#maxGapMs);
    this.#lastMs = nowMs;
    return this.#elapsedMs;
  }
}
