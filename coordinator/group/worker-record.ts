import type { FromWorker, Phase } from "../../shared/protocol/control-message.js";
import type { LaunchedWorker } from "../launcher/launcher.js";
import type { JoinMessage } from "./control-server.js";
import type { Assignment, Member } from "./membership.js";
import type { Vitals } from "./worker-health.js";

/** All that the coordinator knows of one worker that has joined. */
export class WorkerRecord {
  readonly join: JoinMessage;
  readonly launched: LaunchedWorker | null;
  assignment: Assignment | null = null;
  /** Its end of the ring; undefined until it is ready, null where no ring is needed. */
  ringEndpoint: string | null | undefined = undefined;
  layoutHash: string | null = null;
  finished: Extract<FromWorker, { kind: "finished" }> | null = null;
  #lastHeartbeatMs: number;
  #lastProgressMs: number;
  #progress = -1;
  #phase: Phase = "idle";
  #step = 0;

  constructor(join: JoinMessage, launched: LaunchedWorker | null, nowMs: number) {
    this.join = join;
    this.launched = launched;
    this.#lastHeartbeatMs = nowMs;
    this.#lastProgressMs = nowMs;
  }

  get workerId(): string {
    return this.join.workerId;
  }

  get member(): Member {
    return { workerId: this.workerId, host: this.join.host, localIndex: this.launched?.index ?? null };
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
    if (message.progress !== this.#progress) this.#lastProgressMs = nowMs;
    this.#progress = message.progress;
    this.#phase = message.phase;
    this.#step = message.step;
  }

  /** Who it is, for failures that name it. */
  get identity(): { rank: number | null; host: string; pid: number | null; replicas: number[]; step: number | null } {
    return {
      rank: this.assignment?.rank ?? null,
      host: this.join.host,
      pid: this.join.pid,
      replicas: [...(this.assignment?.replicas ?? [])],
      step: this.#step === 0 ? null : this.#step,
    };
  }
}
