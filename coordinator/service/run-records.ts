import { toStepPoint } from "../../shared/api/job-metrics.js";
import type { EpochEvent, StepEvent, TrainEvent } from "../../shared/train-events.js";
import type { JobProgress, MetricRow } from "../store/job-record.js";

/** Step events of one batch that are told; curves have them all. */
const STEPS_TOLD = 10;

/** At most {@link STEPS_TOLD} of the step events, evenly spread, the newest among them; all others as they are. Pure. */
export function eventsToTell<Event extends { readonly event: string }>(events: readonly Event[]): Event[] {
  const steps = events.filter(({ event }) => event === "step");
  if (steps.length <= STEPS_TOLD) return [...events];
  const stride = steps.length / STEPS_TOLD;
  const told = new Set(Array.from({ length: STEPS_TOLD }, (_, index) => steps[Math.ceil((index + 1) * stride) - 1]));
  return events.filter((event) => event.event !== "step" || told.has(event));
}

/** What a batch adds to the curves. Pure. */
export function metricRows(events: readonly TrainEvent[], at: number): MetricRow[] {
  return events.flatMap((event) => {
    if (event.event === "step") return [stepRow(event, at)];
    return event.event === "epoch" ? [epochRow(event, at)] : [];
  });
}

function stepRow(event: StepEvent, at: number): MetricRow {
  const { epoch, step, ...values } = toStepPoint(event);
  return { kind: "step", epoch, step, at, values };
}

function epochRow({ event: _event, epoch, ...figures }: EpochEvent, at: number): MetricRow {
  // What was not measured is left out, here as in the event.
  const measured = Object.entries(figures).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { kind: "epoch", epoch, step: figures.steps, at, values: Object.fromEntries(measured) };
}

/** How far the run has come after a batch; null: nothing that says so has come yet. Pure. */
export function progressAfter(
  before: JobProgress | null,
  events: readonly TrainEvent[],
  at: number,
): JobProgress | null {
  return events.reduce((progress, event) => nextProgress(progress, event, at), before);
}

function nextProgress(before: JobProgress | null, event: TrainEvent, at: number): JobProgress | null {
  switch (event.event) {
    case "started": {
      const { epochs, stepsPerEpoch } = event;
      const steps = epochs * stepsPerEpoch;
      return { epoch: 0, epochs, step: 0, steps, loss: null, accuracy: null, lastEpoch: null, at };
    }
    case "resumed": {
      if (before === null) return null;
      const { epochs, steps } = before;
      // Checkpoints lie between the steps of an epoch, or behind an epoch that is over.
      const epoch = steps === null ? event.epoch : Math.floor((event.step * epochs) / steps);
      return { ...before, epoch, step: event.step, at };
    }
    case "step":
      return before === null
        ? null
        : { ...before, step: event.step, loss: finite(event.loss), accuracy: finite(event.accuracy), at };
    case "epoch":
      return before === null ? null : { ...before, ...afterEpoch(event), at };
    default:
      return before;
  }
}

function afterEpoch(event: EpochEvent): Pick<JobProgress, "epoch" | "step" | "lastEpoch"> {
  const { epoch, steps, trainLoss, trainAccuracy, testAccuracy, samplesPerSecond } = event;
  const lastEpoch = {
    trainLoss: finite(trainLoss),
    trainAccuracy: finite(trainAccuracy),
    testAccuracy: finite(testAccuracy),
    samplesPerSecond: finite(samplesPerSecond),
  };
  return { epoch, step: steps, lastEpoch };
}

/** JSON has no words for the others. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}
