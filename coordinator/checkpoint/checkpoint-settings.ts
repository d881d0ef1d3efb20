import { type CheckpointPlan, NO_CHECKPOINTS } from "../../shared/checkpoint-plan.js";
import type { CheckpointOptions } from "../cli/checkpoint-options.js";

/** Of a run's checkpoints: when they are taken, and how many are kept. */
export interface CheckpointSettings {
  readonly plan: CheckpointPlan;
  /** At least 1. */
  readonly keep: number;
}

const DEFAULT_KEEP = 3;
const MINUTE_MS = 60_000;

/** Without any of them checkpoints are taken when the run is told to end, and only then. Pure. */
export function checkpointSettings(options: CheckpointOptions): CheckpointSettings {
  const minutes = options["checkpoint-minutes"];
  const plan = {
    everySteps: options["checkpoint-steps"] ?? NO_CHECKPOINTS.everySteps,
    everyEpochs: options["checkpoint-epochs"] ?? NO_CHECKPOINTS.everyEpochs,
    everyMs: minutes === undefined ? NO_CHECKPOINTS.everyMs : minutes * MINUTE_MS,
  };
  return { plan, keep: options["keep-checkpoints"] ?? DEFAULT_KEEP };
}
