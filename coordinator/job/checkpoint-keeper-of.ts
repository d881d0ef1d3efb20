import type { TrainEvent } from "../../shared/train-events.js";
import { CHECKPOINT_VERSION } from "../checkpoint/checkpoint-format.js";
import { CheckpointKeeper } from "../checkpoint/checkpoint-keeper.js";
import type { JobEvents } from "./job-events.js";
import type { TrainingRun } from "./training-run.js";

/** What keeps the checkpoints of a run in its output directory; disposed of when the run is over, before the state that it began with is. */
export function checkpointKeeperOf(
  run: TrainingRun,
  events: JobEvents,
  emit: (event: TrainEvent) => void,
): CheckpointKeeper {
  const { spec, resumable: job, configuration, output, shownOut, version } = run;
  return new CheckpointKeeper({
    settings: run.checkpoints,
    beginning: run.resumed,
    beginningFile: run.resumedFile,
    out: output.path,
    shownOut,
    describe: () => ({
      ...{ formatVersion: CHECKPOINT_VERSION, version, jobId: spec.jobId, job, threads: spec.threads, configuration },
      ...events.soFar,
    }),
    recorded: () => events.recorded(),
    emit,
  });
}
