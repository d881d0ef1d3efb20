import type { Phase } from "../../shared/protocol/control-message.js";

/** What a worker's main thread shows of itself. */
export interface WorkerVitals {
  /** Changes whenever the main thread gets on with its work. */
  readonly progress: number;
  readonly phase: Phase;
}

/** What probes are answered. */
export interface WorkerHealth {
  /** `hung`: it will not come back by itself. */
  readonly status: "ok" | "hung";
  /** Whether a coordinator has let it in. */
  readonly joined: boolean;
  readonly phase: Phase;
  /** Without progress, as far as probes have seen. */
  readonly stalledMs: number;
}

/**
 * Longer than any verdict takes: the coordinator's comes after 2 minutes unless `--stall-timeout` says otherwise, and frees a worker
 * that only waits. One that still computes then has to be started again.
 */
const HUNG_MS = 600_000;

/** Watches a main thread's progress from probe to probe. Time is an argument. */
export class HealthWatch {
  #progress = -1;
  #sinceMs = 0;

  /** What to answer at `nowMs`. Only in `exchange` and `idle` does a main thread wait for others, however long. */
  look({ progress, phase }: WorkerVitals, joined: boolean, nowMs: number): WorkerHealth {
    if (progress !== this.#progress) {
      this.#progress = progress;
      this.#sinceMs = nowMs;
    }
    const stalledMs = Math.round(nowMs - this.#sinceMs);
    const waits = phase === "idle" || phase === "exchange";
    return { status: !waits && stalledMs > HUNG_MS ? "hung" : "ok", joined, phase, stalledMs };
  }
}
