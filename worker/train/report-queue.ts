import type { StepReport, WorkerBody } from "../../shared/protocol/control-message.js";

/** Reports leave together when so many have come together … */
const MAX_REPORTS = 256;
/** … or when the oldest has waited so long: people watch, so well under a second. */
const MAX_AGE_MS = 100;

/** Bundles step reports: small models do thousands of steps per second, and each message costs both ends. */
export class ReportQueue {
  readonly #send: (body: WorkerBody) => void;
  readonly #job: Pick<Extract<WorkerBody, { kind: "steps" }>, "jobId" | "generation">;
  #reports: StepReport[] = [];
  #oldestMs = 0;

  constructor(
    job: Pick<Extract<WorkerBody, { kind: "steps" }>, "jobId" | "generation">,
    send: (body: WorkerBody) => void,
  ) {
    this.#job = job;
    this.#send = send;
  }

  add(report: StepReport): void {
    const now = performance.now();
    if (this.#reports.length === 0) this.#oldestMs = now;
    this.#reports.push(report);
    if (this.#reports.length >= MAX_REPORTS || now - this.#oldestMs >= MAX_AGE_MS) this.flush();
  }

  flush(): void {
    if (this.#reports.length === 0) return;
    this.#send({ kind: "steps", ...this.#job, reports: this.#reports });
    this.#reports = [];
  }
}
