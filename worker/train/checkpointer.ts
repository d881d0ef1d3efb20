import type { CheckpointPlan } from "../../shared/checkpoint-plan.js";
import type { WorkerBody } from "../../shared/protocol/control-message.js";
import type { EpochProgress } from "../../shared/training-position.js";
import type { SnapshotBoard } from "../communication/snapshot-board.js";
import type { Snapshot } from "../communication/snapshot-sender.js";
import { CheckpointClock } from "./checkpoint-clock.js";
import { packState, savedStateBytes } from "./saved-state.js";
import type { StepId } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";
import type { JobReference } from "./training-reporter.js";

/** The way to the coordinator, as a checkpointer uses it. */
export interface SnapshotLink {
  readonly snapshots: SnapshotBoard;
  sendSnapshot(snapshot: Snapshot): void;
  send(body: WorkerBody): void;
}

/**
 * Sets the committed state aside between two steps and has it sent while training goes on. Costs one copy of the state in time and, from
 * the first one on, in memory. While one is on its way the next one waits: there is never more than one.
 */
export class Checkpointer {
  readonly #context: TrainingContext;
  readonly #job: JobReference;
  readonly #link: SnapshotLink;
  readonly #clock: CheckpointClock;
  #memory: SharedArrayBuffer | null = null;

  constructor(context: TrainingContext, job: JobReference, plan: CheckpointPlan, link: SnapshotLink) {
    this.#context = context;
    this.#job = job;
    this.#link = link;
    this.#clock = new CheckpointClock(plan, performance.now());
  }

  /** To be called between any two steps. `progress` makes the progress of the epoch under way; null: `id` ends its epoch. */
  atBoundary(id: StepId, progress: (() => EpochProgress) | null): void {
    const { snapshots } = this.#link;
    const isDue = this.#clock.passes({ ...id, endsEpoch: progress === null }, performance.now());
    const asked = snapshots.isAsked;
    if ((!isDue && !asked) || snapshots.isBusy) return;
    this.#clock.taken(performance.now());
    if (asked) snapshots.answered();
    this.#take(id, progress?.() ?? null, asked);
  }

  #take({ epoch, step }: StepId, progress: EpochProgress | null, asked: boolean): void {
    const { arenas, gate, lossScaler } = this.#context;
    const totalBytes = savedStateBytes(arenas, lossScaler !== null);
    try {
      this.#memory ??= new SharedArrayBuffer(totalBytes);
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      const problem = `no memory is left to set ${totalBytes} bytes of state aside (${thrown.message})`;
      this.#link.send({ kind: "checkpointMissed", ...this.#job, epoch, step, asked, problem });
      return;
    }
    packState(arenas, gate.current, lossScaler?.state ?? [], new Uint8Array(this.#memory));
    const position = { epoch, step, progress };
    const opening = { kind: "checkpoint", ...this.#job, position, asked, totalBytes } as const;
    this.#link.snapshots.busy(true);
    this.#link.sendSnapshot({ opening, bytes: this.#memory });
  }
}
