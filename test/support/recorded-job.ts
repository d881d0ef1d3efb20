import { readFileSync } from "node:fs";
import type { JobDetail } from "../../shared/api/job-detail.js";
import type { JobEvent } from "../../shared/api/job-event.js";
import { type JobMetrics, toStepPoint } from "../../shared/api/job-metrics.js";
import type { JobStatus } from "../../shared/api/job-status.js";
import type { JobSummary } from "../../shared/api/job-summary.js";
import { describeFailure } from "../../shared/describe-failure.js";
import type { Failure } from "../../shared/failure.js";
import { type TrainEvent, TrainEventSchema } from "../../shared/train-events.js";

const RECORDING = new URL("recordings/digits.jsonl", import.meta.url);

/** What `ringstrasse train --json` said of a real job: 4 workers, 8 replicas, 4 epochs of 6 steps, to its end. */
export function recordedEvents(): TrainEvent[] {
  const lines = readFileSync(RECORDING, "utf8").trimEnd().split("\n");
  return lines.map((line) => TrainEventSchema.parse(JSON.parse(line)));
}

/** A job as a server would know it that has heard some events; further ones are told with `hear`. */
export class RecordedJob {
  readonly events: JobEvent[] = [];
  summary: JobSummary;
  failure: Failure | null = null;
  readonly files: JobDetail["files"] = [];
  xml = "<vinnsl/>";

  constructor(id: string, name: string, createdAtMs = 0) {
    const createdAt = new Date(createdAtMs).toISOString();
    this.summary = {
      id,
      name,
      status: "CREATED",
      statusReason: null,
      createdAt,
      updatedAt: createdAt,
      attempt: 0,
      priority: 0,
      workers: null,
      replicas: null,
      epoch: 0,
      epochs: null,
      step: 0,
      trainLoss: null,
      trainAccuracy: null,
      testAccuracy: null,
      samplesPerSecond: null,
    };
  }

  /** Takes an event in; its number is the count of events so far. */
  hear(event: JobEvent): void {
    this.events.push(event);
    if (event.event === "started")
      this.change({ workers: event.workers, replicas: event.replicas, epochs: event.epochs });
    else if (event.event === "step") this.change({ step: event.step });
    else if (event.event === "status") this.change({ status: event.status, statusReason: event.statusReason });
    else if (event.event === "epoch") {
      const { epoch, trainLoss, trainAccuracy, testAccuracy, samplesPerSecond } = event;
      this.change({ epoch, trainLoss, trainAccuracy, testAccuracy, samplesPerSecond });
    }
  }

  moveTo(status: JobStatus, failure: Failure | null = null): JobEvent {
    this.failure = failure;
    const statusReason = failure === null ? null : { code: failure.code, message: describeFailure(failure) };
    return { event: "status", status, statusReason };
  }

  change(changes: Partial<JobSummary>): void {
    this.summary = { ...this.summary, ...changes };
  }

  get detail(): JobDetail {
    return {
      job: this.summary,
      failure: this.failure,
      started: this.#last("started"),
      generation: this.#last("generation"),
      collective: this.#last("collective"),
      lastStep: this.#last("step"),
      result: this.#last("finished"),
      warnings: this.events.flatMap((event) => (event.event === "warning" ? [event.message] : [])),
      files: this.files,
      lastEventId: this.events.length,
    };
  }

  get metrics(): JobMetrics {
    return {
      epochs: this.events.filter((event) => event.event === "epoch"),
      steps: this.events.filter((event) => event.event === "step").map(toStepPoint),
    };
  }

  #last<Name extends JobEvent["event"]>(name: Name): Extract<JobEvent, { event: Name }> | null {
    const found = this.events.findLast((event): event is Extract<JobEvent, { event: Name }> => event.event === name);
    return found ?? null;
  }
}
