import { type Failure, toFailure } from "../../shared/failure.js";
import type { PlannedJobSpec } from "../../shared/job-spec.js";
import type { EngineFacts, EpochReport, FromWorker } from "../../shared/protocol/control-message.js";
import type { EpochEvent, TrainEvent } from "../../shared/train-events.js";
import type { RunDescription } from "../checkpoint/checkpoint-keeper.js";
import type { SettledCollective } from "../group/group-exchange.js";
import type { FormedGeneration, GroupObserver } from "../group/job-group.js";
import type { MergedStep } from "../group/step-merger.js";
import type { RunBeginning, RunRecorder } from "./run-recorder.js";
import { StalenessTally } from "./staleness-tally.js";

export interface JobEventsOptions {
  readonly spec: PlannedJobSpec;
  readonly startedAt: number;
  readonly recorder: RunRecorder;
  readonly emit: (event: TrainEvent) => void;
  /** Of the run that it goes on from; empty for one that begins. */
  readonly history: readonly EpochEvent[];
}

/** Turns what the group does into events for people and programs, and into records on disk. */
export class JobEvents implements GroupObserver {
  readonly #options: JobEventsOptions;
  readonly #history: EpochEvent[];
  readonly #staleness = new StalenessTally();
  #beginning: RunBeginning | null = null;
  #engine: EngineFacts | null = null;
  #broken: (failure: Failure) => void = () => undefined;

  constructor(options: JobEventsOptions) {
    this.#options = options;
    this.#history = [...options.history];
  }

  get lastEpoch(): EpochEvent | null {
    return this.#history.at(-1) ?? null;
  }

  /** What a checkpoint says of the run so far. @throws Error before the workers are connected */
  get soFar(): Pick<RunDescription, "engine" | "collective" | "ordered" | "history" | "elapsedMs"> {
    if (this.#beginning === null) throw new Error("a checkpoint came before the workers were connected");
    const { engine, collective, ordered } = this.#beginning;
    const elapsedMs = performance.now() - this.#options.startedAt;
    return { engine, collective, ordered, history: this.#history, elapsedMs };
  }

  /** Resolves when the records of all that was told are written. */
  recorded(): Promise<void> {
    return this.#options.recorder.flush();
  }

  /** `handler` is told when a record can't be written. */
  onBroken(handler: (failure: Failure) => void): void {
    this.#broken = handler;
  }

  formed({ generation, members, engine, reason }: FormedGeneration): void {
    const workers = members.map(({ worker: { join }, assignment: { rank, replicas } }) => ({
      rank,
      host: join.host,
      pid: join.pid,
      replicas: [...replicas],
    }));
    this.#options.emit({ event: "generation", generation, workers, reason });
    this.#engine = engine;
  }

  collectiveSettled({ generation, collective, ordered, reason, measured }: SettledCollective): void {
    if (this.#engine === null) throw new Error("a collective was settled before the workers were known");
    if (reason !== null) {
      const figures = measured === null ? null : { ...measured, candidates: [...measured.candidates] };
      this.#options.emit({ event: "collective", generation, collective, reason, measured: figures });
    }
    this.#beginning = { engine: this.#engine, collective, ordered, measured };
    this.#record(this.#begin(this.#beginning));
  }

  step(merged: MergedStep): void {
    const workers = merged.workers.map(
      ({ replicas, rows, computeMs, communicationMs, sentBytes, receivedBytes, staleness, stepsAhead }, rank) => ({
        rank,
        replicas,
        rows,
        computeMs,
        communicationMs,
        sentBytes,
        receivedBytes,
        ...(staleness === undefined ? {} : { staleness }),
        ...(stepsAhead === undefined ? {} : { stepsAhead }),
      }),
    );
    for (const report of merged.workers) this.#staleness.add(report);
    const { epoch, step, loss, accuracy, rows, update } = merged;
    this.#options.emit({ event: "step", epoch, step, loss, accuracy, rows, ...update, workers });
  }

  epoch(report: EpochReport): void {
    const { spec, startedAt, recorder, emit } = this.#options;
    const { rows, stepMs, communicationMs, ...figures } = report;
    const event: EpochEvent = {
      event: "epoch",
      ...figures,
      epochs: spec.epochs,
      samplesPerSecond: rows / (stepMs / 1000),
      communicationFraction: communicationMs / stepMs,
      elapsedMs: performance.now() - startedAt,
      ...this.#staleness.take(),
    };
    this.#history.push(event);
    emit(event);
    this.#record(recorder.epoch(event));
  }

  blockHashes(_rank: number, message: Extract<FromWorker, { kind: "blockHashes" }>): void {
    this.#record(this.#options.recorder.blockHashes(message));
  }

  async #begin(beginning: RunBeginning): Promise<void> {
    const { recorder, emit } = this.#options;
    for (const message of await recorder.begin(beginning)) emit({ event: "warning", message });
  }

  #record(written: Promise<void>): void {
    written.catch((thrown) => this.#broken(toFailure(thrown)));
  }
}
