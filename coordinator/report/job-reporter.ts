import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { DocumentReport, ModelFileName } from "../../shared/api/run-report.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { type Failure, toFailure } from "../../shared/failure.js";
import type { Logger } from "../../shared/logger.js";
import { MODEL_FILES } from "../../shared/model-file/model-facts.js";
import { type FinishedEvent, failedEvent, type TrainEvent } from "../../shared/train-events.js";
import { isSystemError } from "../../shared/write-failure.js";
import { EventQueue } from "./event-queue.js";
import { type Delivery, describeReport, type OutgoingReport, type ReportChannel } from "./report-channel.js";

export interface ReportTiming {
  /** Events gather for so long before they are sent. */
  readonly batchMs: number;
  /** Wait before the first repetition; doubled with each further one, up to `lastRetryMs`. */
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** After the run's end: how long without a success the reporter goes on trying. */
  readonly patienceMs: number;
}

export interface JobReporterOptions {
  readonly channel: ReportChannel;
  readonly log: Logger;
  readonly timing: ReportTiming;
  /** Steps, and epochs, that wait at most. */
  readonly keptOfKind: number;
}

/** What a run that ended well leaves; its last event has not been reported before. */
export interface RunOutcome {
  readonly finished: FinishedEvent;
  readonly modelDirectory: string;
  /** Result documents, valid against the schemas, as files. */
  readonly documents: readonly { readonly part: DocumentReport["part"]; readonly path: string }[];
}

export type ReportOutcome =
  | {
      readonly kind: "delivered";
      /** Steps that were left out because the server was slow. */
      readonly stepsLeftOut: number;
    }
  /** Some of it can't be delivered: what, why, and what to do about it. */
  | {
      readonly kind: "incomplete";
      readonly undelivered: readonly string[];
      readonly problem: string;
      readonly remedy: string;
    };

const BATCH = { events: 500, bytes: 256 * 1024 };

/**
 * Reports a run that happens here to a server that is elsewhere: status, events, model, result documents. It never delays the run and
 * never fails it: what can't be delivered waits in bounded memory, is tried again, and is named at the end.
 * One {@link finish} or {@link fail} ends it; disposing of it before gives everything up.
 */
export class JobReporter implements AsyncDisposable {
  readonly #options: JobReporterOptions;
  readonly #queue: EventQueue;
  readonly #run = randomUUID();
  readonly #abandoned = new AbortController();
  readonly #pumping: Promise<void>;
  #wake: () => void = () => undefined;
  #ended = false;
  #position = 0;
  #outage: string | null = null;
  #refusal: Extract<Delivery, { kind: "refused" }> | null = null;
  #deadline: NodeJS.Timeout | null = null;
  readonly #undelivered: string[] = [];

  constructor(options: JobReporterOptions) {
    this.#options = options;
    this.#queue = new EventQueue({ keptOfKind: options.keptOfKind });
    this.#pumping = this.#pump();
    // Whoever ends the report hears of it.
    this.#pumping.catch(() => undefined);
  }

  /** Returns at once; never throws. */
  report(event: TrainEvent): void {
    if (this.#ended || this.#isRefused()) return;
    this.#queue.push(event);
    this.#wake();
  }

  /** The run ended well. Resolves when all is delivered, or `patienceMs` have passed without a success. */
  async finish(outcome: RunOutcome): Promise<ReportOutcome> {
    await this.#end(outcome.finished);
    const modelFiles: readonly ModelFileName[] = Object.values(MODEL_FILES);
    for (const name of modelFiles) {
      await this.#deliver({ kind: "modelFile", name, path: join(outcome.modelDirectory, name) });
    }
    for (const { part, path } of outcome.documents) await this.#deliverDocument(part, path);
    await this.#deliver({ kind: "status", status: "FINISHED", message: null });
    return this.#close();
  }

  /** The run failed. Resolves as {@link finish} does. */
  async fail(failure: Failure): Promise<ReportOutcome> {
    await this.#end(failedEvent(failure));
    await this.#deliver({ kind: "status", status: "ERROR", message: describeFailure(failure) });
    return this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#abandoned.abort();
    this.#wake();
    await this.#pumping;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
  }

  async #pump(): Promise<void> {
    await this.#deliver({ kind: "status", status: "INPROGRESS", message: null });
    for (;;) {
      while (this.#queue.length === 0 && !this.#ended) await this.#awakened();
      if (!this.#ended) await this.#gather();
      const events = this.#queue.take(BATCH);
      if (events.length === 0) return;
      if (await this.#deliver({ kind: "events", run: this.#run, from: this.#position, events })) {
        this.#position += events.length;
      }
    }
  }

  /** Gives further events the time to come, but not after the run's end. */
  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, this.#options.timing.batchMs);
      this.#wake = () => {
        if (this.#ended || this.#queue.length >= BATCH.events) done();
      };
      this.#wake();
    });
  }

  #awakened(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #end(last: TrainEvent): Promise<void> {
    this.report(last);
    this.#ended = true;
    this.#options.channel.hurry();
    this.#extend();
    this.#wake();
    await this.#pumping;
  }

  /** Everything waits for a success; the next one has its time again. */
  #extend(): void {
    if (!this.#ended || this.#abandoned.signal.aborted) return;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#abandoned.abort(), this.#options.timing.patienceMs);
  }

  #close(): ReportOutcome {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    const { target } = this.#options.channel;
    if (this.#undelivered.length === 0) return { kind: "delivered", stepsLeftOut: this.#queue.leftOut.step };
    const { problem, remedy } = this.#refusal ?? {
      problem: this.#outage ?? "the report was given up",
      remedy: "The run's output directory has all of it: send model and documents yourself, or report the run again",
    };
    const undelivered = [...this.#undelivered];
    return { kind: "incomplete", undelivered, problem: `${target}: ${problem}`, remedy };
  }

  async #deliverDocument(part: DocumentReport["part"], path: string): Promise<void> {
    try {
      await this.#deliver({ kind: "document", part, xml: await readFile(path, "utf8") });
    } catch (thrown) {
      if (!isSystemError(thrown)) throw thrown;
      this.#giveUp(`document ${part}`, { problem: `the file ${path} can't be read (${thrown.message})` });
    }
  }

  /** Tries until the report is delivered, refused, or given up. @returns whether it was delivered */
  async #deliver(report: OutgoingReport): Promise<boolean> {
    const { channel, timing } = this.#options;
    const { signal } = this.#abandoned;
    for (let retryMs = timing.firstRetryMs; ; retryMs = Math.min(2 * retryMs, timing.lastRetryMs)) {
      if (this.#isRefused() || signal.aborted) {
        this.#undelivered.push(describeReport(report));
        return false;
      }
      const delivery = await attempt(channel, report, signal);
      if (delivery.kind === "delivered") {
        this.#succeeded();
        return true;
      }
      if (delivery.kind === "refused") {
        this.#refused(report, delivery);
        return false;
      }
      this.#failed(delivery.problem);
      await this.#pause(retryMs);
    }
  }

  #succeeded(): void {
    this.#extend();
    if (this.#outage === null) return;
    this.#outage = null;
    this.#options.log.info({ target: this.#options.channel.target }, "reports arrive again");
  }

  #failed(problem: string): void {
    // What the end of the report itself causes says nothing of the server.
    if (this.#abandoned.signal.aborted && this.#outage !== null) return;
    const { channel, log } = this.#options;
    if (this.#outage === null) log.warn({ target: channel.target, problem }, "reports don't arrive; trying again");
    this.#outage = problem;
  }

  #refused(report: OutgoingReport, refusal: Extract<Delivery, { kind: "refused" }>): void {
    this.#giveUp(describeReport(report), refusal);
    this.#refusal ??= refusal;
    if (refusal.scope !== "run") return;
    this.#refusal = refusal;
    if (this.#queue.length > 0) this.#undelivered.push(`${this.#queue.length} events`);
    this.#queue.clear();
  }

  #giveUp(what: string, { problem, remedy }: { readonly problem: string; readonly remedy?: string }): void {
    this.#undelivered.push(what);
    const { channel, log } = this.#options;
    log.warn({ target: channel.target, what, problem, remedy }, "a report was refused; the run goes on");
  }

  #isRefused(): boolean {
    return this.#refusal?.scope === "run";
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#abandoned.signal }).catch((thrown: unknown) => {
      if (!this.#abandoned.signal.aborted) throw thrown;
    });
  }
}

/** A mistake of this software ends the report, never the run. */
async function attempt(channel: ReportChannel, report: OutgoingReport, signal: AbortSignal): Promise<Delivery> {
  try {
    return await channel.deliver(report, signal);
  } catch (thrown) {
    const problem = `reporting is broken (${describeFailure(toFailure(thrown))})`;
    return { kind: "refused", scope: "run", problem, remedy: "Please report this defect" };
  }
}
