import { Worker } from "node:worker_threads";
import type { FeatureTransform, RowFileSpec } from "../../shared/data/dataset-spec.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { MicroBatch } from "../engine/engine.js";
import { unlessAborted } from "../unless-aborted.js";
import type { FromReader, ReaderStart, ToReader } from "./batch-reader-messages.js";
import type { BatchSource } from "./batch-source.js";
import { microBatchOf, type RowBuffers, rowBuffers, rowBuffersSizeBytes } from "./row-buffers.js";

export interface BatchReaderOptions {
  /** Most rows in one batch. */
  readonly maxRows: number;
  /** Batches that memory is there for: the one in use and those read ahead. Default 2: one batch is prefetched. */
  readonly slots?: number;
}

/** A request on its way: `done` when it has been read or has failed. */
class PendingRead {
  readonly rows: Uint32Array;
  readonly done: Promise<void>;
  /** Null until it is known where it is read to. */
  slot: number | null = null;
  failure: Error | null = null;
  #finish: () => void = () => undefined;

  constructor(rows: Uint32Array) {
    this.rows = rows;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  finish(failure: Error | null): void {
    this.failure = failure;
    this.#finish();
  }
}

/**
 * Reads batches of a row file in a thread of its own, so that the main thread computes meanwhile. Requests are answered in the order
 * in which they were made; they may be made any number ahead, and are read as soon as a slot is free.
 * Used by one caller: `prefetch` any time, one `next` at a time.
 */
export class BatchReader implements BatchSource {
  readonly #file: RowFileSpec;
  readonly #maxRows: number;
  readonly #thread: Worker;
  readonly #exited: Promise<void>;
  readonly #buffers: readonly RowBuffers[];
  readonly #freeSlots: number[];
  /** Not yet given out by `next`, oldest first. */
  readonly #requests: PendingRead[] = [];
  /** Being read by the thread, oldest first. */
  readonly #reading: PendingRead[] = [];
  /** Slot of the batch that `next` gave out last. */
  #lent: number | null = null;
  #broken: Error | null = null;

  private constructor(start: ReaderStart) {
    const { file, slots, maxRows } = start;
    this.#file = file;
    this.#maxRows = maxRows;
    this.#buffers = slots.map((memory) => rowBuffers(memory, file, maxRows));
    this.#freeSlots = slots.map((_, slot) => slot);
    this.#thread = new Worker(new URL("./batch-reader-thread.js", import.meta.url), { workerData: start });
    this.#thread.on("message", (message: FromReader) => this.#onAnswer(message));
    this.#thread.on("error", (cause) => this.#break(`the batch-reader thread failed: ${cause.message}`, cause));
    this.#exited = new Promise((resolve) => {
      this.#thread.once("exit", (code) => {
        this.#break(`the batch-reader thread ended (code ${code})`);
        resolve();
      });
    });
  }

  /** Starts the thread. The file is opened by the first request, whose `next` tells what is wrong with it. @throws RangeError */
  static open(file: RowFileSpec, transform: FeatureTransform, options: BatchReaderOptions): BatchReader {
    const { maxRows, slots = 2 } = options;
    if (!Number.isInteger(maxRows) || maxRows < 1) throw new RangeError(`maxRows is ${maxRows}`);
    if (!Number.isInteger(slots) || slots < 1) throw new RangeError(`slots is ${slots}`);
    const sizeBytes = rowBuffersSizeBytes(file, maxRows);
    const memories = Array.from({ length: slots }, () => new SharedArrayBuffer(sizeBytes));
    return new BatchReader({ file, transform, slots: memories, maxRows });
  }

  prefetch(rows: Uint32Array): void {
    if (rows.length > this.#maxRows)
      throw new RangeError(`${rows.length} rows asked for, at most ${this.#maxRows} fit`);
    const request = new PendingRead(rows.slice());
    this.#requests.push(request);
    if (this.#broken !== null || rows.length === 0) request.finish(this.#broken);
    else this.#readOn();
  }

  async next(signal?: AbortSignal): Promise<MicroBatch | null> {
    const [request] = this.#requests;
    if (request === undefined) throw new RangeError("next() without a request: call prefetch() first");
    this.#release();
    await (signal === undefined ? request.done : unlessAborted(request.done, signal));
    this.#requests.shift();
    this.#lent = request.slot;
    if (request.failure !== null) throw request.failure;
    const buffers = request.slot === null ? undefined : this.#buffers[request.slot];
    return buffers === undefined ? null : microBatchOf(buffers, this.#file, request.rows.length);
  }

  /** Ends the thread; requests not yet given out are dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#post({ kind: "close" });
    await this.#exited;
  }

  #release(): void {
    if (this.#lent === null) return;
    this.#freeSlots.push(this.#lent);
    this.#lent = null;
    this.#readOn();
  }

  /** Sends requests to the thread, oldest first, as long as there are slots for them. */
  #readOn(): void {
    for (const request of this.#requests) {
      if (request.slot !== null || request.rows.length === 0) continue;
      const slot = this.#freeSlots.shift();
      if (slot === undefined) return;
      request.slot = slot;
      this.#reading.push(request);
      this.#post({ kind: "read", slot, rows: request.rows });
    }
  }

  #post(message: ToReader): void {
    this.#thread.postMessage(message);
  }

  #onAnswer(message: FromReader): void {
    const failure = message.kind === "failed" ? new RingstrasseError(message.failure) : null;
    this.#reading.shift()?.finish(failure);
  }

  #break(problem: string, cause?: Error): void {
    if (this.#broken !== null) return;
    this.#broken = new RingstrasseError({ code: "INTERNAL", problem }, { cause });
    for (const request of this.#requests) if (request.rows.length > 0) request.finish(this.#broken);
  }
}
