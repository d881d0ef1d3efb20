import type { CheckpointPlan } from "../../shared/checkpoint-plan.js";
import type { WorkerBody } from "../../shared/protocol/control-message.js";
import type { EpochProgress } from "../../shared/training-position.js";
import type { SnapshotBoard } from "../communication/snapshot-board.js";
import type { Snapshot } from "../communication/snapshot-sender.js";
import { type Boundary, CheckpointClock } from "./checkpoint-clock.js";
import { packState, replicaStateBytes, savedStateBytes } from "./saved-state.js";
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
    this.#clock = new CheckpointClock(plan, performance.now(), context.gate.position.step);
  }

  /** To be called once for each boundary: whether one is due or asked for, and can be taken. */
  wants(boundary: Boundary): boolean {
    const { snapshots } = this.#link;
    const isDue = this.#clock.passes(boundary, performance.now());
    return (isDue || snapshots.isAsked) && !snapshots.isBusy;
  }

  /**
   * Takes one here. Where replicas have state of their own, all workers call {@link ReplicaStates.gather} at the same time.
   * @param progress of the epoch under way; null: `id` ends its epoch
   */
  async take(id: StepId, progress: EpochProgress | null): Promise<void> {
    const { arenas, gate, lossScaler, replicaStates, spec, updatesUpTo } = this.#context;
    const { snapshots } = this.#link;
    const asked = snapshots.isAsked;
    this.#clock.taken(performance.now());
    if (asked) snapshots.answered();
    const commonBytes = savedStateBytes(arenas, lossScaler !== null);
    const totalBytes = commonBytes + replicaStateBytes(arenas, spec.replicas);
    const memory = this.#reserve(totalBytes, { ...id, asked });
    if (memory === null) {
      await replicaStates?.gather(this.#context, null);
      return;
    }
    const bytes = new Uint8Array(memory);
    packState(arenas, gate.current, lossScaler?.state ?? [], bytes.subarray(0, commonBytes));
    let at = commonBytes;
    await replicaStates?.gather(this.#context, (tensor) => {
      bytes.set(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength), at);
      at += tensor.byteLength;
    });
    if (at !== totalBytes) throw new RangeError(`a state of ${at} bytes in ${totalBytes}`);
    const { epoch, step } = id;
    const opening = {
      kind: "checkpoint",
      ...this.#job,
      position: { epoch, step, progress, ...(updatesUpTo === null ? {} : { updates: updatesUpTo(epoch) }) },
      asked,
      totalBytes,
    } as const;
    snapshots.busy(true);
    this.#link.sendSnapshot({ opening, bytes: memory });
  }

  /** Null: there is no memory for it, which is told. */
  #reserve(totalBytes: number, { epoch, step, asked }: StepId & { readonly asked: boolean }): SharedArrayBuffer | null {
    try {
      this.#memory ??= new SharedArrayBuffer(totalBytes);
      return this.#memory;
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      const problem = `no memory is left to set ${totalBytes} bytes of state aside (${thrown.message})`;
      this.#link.send({ kind: "checkpointMissed", ...this.#job, epoch, step, asked, problem });
      return null;
    }
  }
}
