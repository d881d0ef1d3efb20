import type { StepReport, WorkerBody } from "../../shared/protocol/control-message.js";

/**
 * Reports leave together when so many have come together, and never more of them: each message is a sign of life while heartbeats wait behind
 * it, so on a slow link it must be small, and a round may have had tens of thousands of steps. …
 */
const MAX_REPORTS = 256;
/** … or when the last ones left so long ago: people watch, so well under a second, and slow steps (or rounds) are told one by one. */
const MAX_AGE_MS = 100;

/** Bundles step reports: small models do thousands of steps per second, and each message costs both ends. */
export class ReportQueue {
  readonly #send: (body: WorkerBody) => void;
  readonly #job: Pick<Extract<WorkerBody, { kind: "steps" }>, "jobId" | "generation">;
  #reports: StepReport[] = [];
  #sentMs = Number.NEGATIVE_INFINITY;

  constructor(
    job: Pick<Extract<WorkerBody, { kind: "steps" }>, "jobId" | "generation">,
    send: (body: WorkerBody) => void,
  ) {
    this.#job = job;
    this.#send = send;
  }

  /** Of steps that became known together: none of them waits for the next ones. */
  add(reports: readonly StepReport[]): void {
    this.#reports.push(...reports);
    const isTime = performance.now() - this.#sentMs >= MAX_AGE_MS;
    if (isTime || this.#reports.length >= MAX_REPORTS) this.flush();
  }

  flush(): void {
    if (this.#reports.length === 0) return;
    for (let from = 0; from < this.#reports.length; from += MAX_REPORTS)
      this.#send({ kind: "steps", ...this.#job, reports: this.#reports.slice(from, from + MAX_REPORTS) });
    this.#reports = [];
    this.#sentMs = performance.now();
  }
}
