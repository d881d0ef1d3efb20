import type { JobDetail } from "../../shared/api/job-detail.js";
import type { TrainEvent } from "../../shared/train-events.js";
import { unreachable } from "../../shared/unreachable.js";

/** What a job has heard of its latest attempt. */
export type HeardOf = Pick<JobDetail, "started" | "generation" | "collective" | "lastStep" | "result" | "warnings"> & {
  readonly job: Pick<JobDetail["job"], "epoch" | "step" | "status">;
};

/**
 * Pure: the events that the job has not heard of, in their order. Steps, epochs and generations only ever rise within a run, so the
 * latest of each tells; everything else comes once.
 */
export function unseenEvents(events: readonly TrainEvent[], heard: HeardOf): TrainEvent[] {
  const lastStep = Math.max(heard.job.step, heard.lastStep?.step ?? 0);
  return events.filter((event) => {
    switch (event.event) {
      case "started":
        return heard.started === null;
      case "generation":
        return heard.generation === null || event.generation > heard.generation.generation;
      case "collective":
        return heard.collective === null || event.generation > heard.collective.generation;
      case "step":
        return event.step > lastStep;
      case "epoch":
        return event.epoch > heard.job.epoch;
      // Told twice they do no harm, and nobody keeps which were told.
      case "checkpoint":
      case "resumed":
        return true;
      case "warning":
        return !heard.warnings.includes(event.message);
      case "finished":
        return heard.result === null;
      case "failed":
        return heard.job.status === "INPROGRESS";
      default:
        return unreachable(event);
    }
  });
}
