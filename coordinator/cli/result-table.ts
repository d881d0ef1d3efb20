import type { FinishedEvent } from "../../shared/train-events.js";
import { formatDuration, formatFigure, formatRate, formatShare } from "./format-figure.js";
import { summaryTable } from "./summary-table.js";

/** Writes what came of a job, for a person: how good, how fast, on what, and where the model is. */
export function writeResultTable(stream: NodeJS.WritableStream, event: FinishedEvent): void {
  stream.write(summaryTable(resultRows(event)));
}

/** The table's rows; figures that were not measured are left out. Pure. */
export function resultRows(event: FinishedEvent): (readonly [string, string])[] {
  const accuracy = (value: number | null) => (value === null ? [] : [`accuracy ${formatShare(value)}`]);
  const train = [...accuracy(event.trainAccuracy), `loss ${formatFigure(event.trainLoss)}`];
  const test = event.testLoss === null ? [] : [...accuracy(event.testAccuracy), `loss ${formatFigure(event.testLoss)}`];
  return [
    ["job", event.jobId],
    ...(test.length === 0 ? [] : [["test", test.join(", ")] as const]),
    ["training", train.join(", ")],
    ["passes", `${event.epochs} epochs, ${event.steps} steps`],
    ["time", formatDuration(event.wallMs)],
    [
      "speed",
      `${formatRate(event.samplesPerSecond)} samples/s, ${formatShare(event.communicationFraction)} communication`,
    ],
    [
      "ran on",
      `${plural(event.workers, "worker")}, ${plural(event.replicas, "replica")}, ${plural(event.threads, "thread")} each`,
    ],
    ["engine", event.engine],
    // What that means for the bits differs: those of topk are the same on any number of workers all the same.
    ["collective", `${event.collective}${event.ordered ? "" : " (not ordered)"}`],
    ["weights SHA-256", event.weightsSha256],
    ["model", event.modelDir],
  ];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
