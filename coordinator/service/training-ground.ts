import type { ClusterWorker } from "../../shared/api/cluster.js";
import type { FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import type { InterruptedFailure } from "../cli/interruption.js";
import type { TrainingRun } from "../job/training-run.js";
import type { WorkersWanted } from "../store/job-record.js";

/** Workers for one job. */
export interface Capacity {
  /** Workers that are here and could train it together, working or not. */
  readonly present: number;
  /** Of those, the ones that no job has. */
  readonly idle: number;
}

export interface RunSurroundings {
  /** Hears all events but the last, which is returned or thrown; called in order, must not throw. */
  readonly emit: (event: TrainEvent) => void;
  /** Aborts with a RingstrasseError to fail with. */
  readonly signal: AbortSignal;
  /** Calls the handler, once, when the run is to end with this after its state is saved; until it is disposed of. */
  readonly onStop: (handler: (failure: InterruptedFailure) => void) => Disposable;
}

export interface TrainedRun {
  readonly finished: FinishedEvent;
  /** All trainable tensors, then the running statistics; each in layer order, without padding, little-endian float32. */
  readonly weights: Uint8Array;
}

/** What jobs can be started on. */
export interface Workforce {
  /** Of workers that a job can run on; where too few have its engine, of any, so that its run can say what is missing. */
  capacity(wanted: WorkersWanted): Capacity;

  /** For people: every worker, the lost ones for a while. */
  workers(): readonly ClusterWorker[];

  /** `listener` is told whenever {@link capacity} may have changed. */
  onCapacityChanged(listener: () => void): void;
}

/** Where the service's jobs train: a pool of workers that come and go. */
export interface TrainingGround extends Workforce {
  /**
   * Trains on `run.policy.workers` idle workers, which are taken before this returns its promise and are idle again, or lost, when the
   * promise settles. Runs go side by side. Writes the output directory, checkpoints included, as `ringstrasse train` does.
   * @returns null: too few workers are idle, or some went before any was told of the run
   * @throws RingstrasseError with the run's first failure
   */
  train(run: TrainingRun, around: RunSurroundings): Promise<TrainedRun | null>;
}
