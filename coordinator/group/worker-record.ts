import type { FromWorker, Phase } from "../../shared/protocol/control-message.js";
import type { LaunchedWorker } from "../launcher/launcher.js";
import type { JoinMessage } from "./control-server.js";
import type { Member } from "./membership.js";
import type { Vitals } from "./worker-health.js";

/**
 * - `idle`: waits for work;
 * - `lent`: belongs to a job's group;
 * - `releasing`: was told that its generation is over, and has not said that nothing of it is left;
 * - `lost`: dead, cut off or gone; never anything else again.
 */
export type WorkerState = "idle" | "lent" | "releasing" | "lost";

/** All that the coordinator knows of one worker that has joined, whatever it works on. */
export class WorkerRecord {
  readonly join: JoinMessage;
  readonly launched: LaunchedWorker | null;
  state: WorkerState = "idle";
  /** The signal that told it to leave; null: none has. It is not lent any more. */
  leavesBy: string | null = null;
  /** When it took its state; on the pool's clock. */
  stateSinceMs: number;
  #lastHeartbeatMs: number;
  #lastProgressMs: number;
  #progress = -1;
  #phase: Phase = "idle";
  #step = 0;

  constructor(join: JoinMessage, launched: LaunchedWorker | null, nowMs: number) {
    this.join = join;
    this.launched = launched;
    this.stateSinceMs = nowMs;
    this.#lastHeartbeatMs = nowMs;
    this.#lastProgressMs = nowMs;
  }

  get workerId(): string {
    return this.join.workerId;
  }

  get member(): Member {
    const { host, memoryDomain } = this.join;
    const { index = null, rank = null } = this.launched ?? {};
    return { workerId: this.workerId, host, memoryDomain, localIndex: index, fixedRank: rank };
  }

  get vitals(): Vitals {
    return {
      workerId: this.workerId,
      lastHeartbeatMs: this.#lastHeartbeatMs,
      lastProgressMs: this.#lastProgressMs,
      phase: this.#phase,
      step: this.#step,
    };
  }

  /** Any message is a sign of life. */
  heard(nowMs: number): void {
    this.#lastHeartbeatMs = nowMs;
  }

  heartbeat(message: Extract<FromWorker, { kind: "heartbeat" }>, nowMs: number): void {
    this.heard(nowMs);
    if (message.progress !== this.#progress) this.progressed(nowMs);
    this.#progress = message.progress;
    this.#phase = message.phase;
    this.#step = message.step;
  }

  /** It has got on with its work. */
  progressed(nowMs: number): void {
    this.#lastProgressMs = nowMs;
  }

  /** A new generation: what its main thread did before does not count. */
  begins(nowMs: number): void {
    this.#lastProgressMs = nowMs;
    this.#phase = "idle";
    this.#step = 0;
  }
}
