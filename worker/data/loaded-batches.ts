import { setImmediate as nextTurn } from "node:timers/promises";
import type { FeatureTransform, RowFileSpec } from "../../shared/data/dataset-spec.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { MicroBatch } from "../engine/engine.js";
import { unlessAborted } from "../unless-aborted.js";
import type { BatchSource } from "./batch-source.js";
import { LoadedRows } from "./loaded-rows.js";

/** Batches of a row file that is loaded into memory when the first one is asked for. They are made when they are needed. */
export class LoadedBatches implements BatchSource {
  readonly #file: RowFileSpec;
  readonly #transform: FeatureTransform;
  readonly #maxRows: number;
  /** Not yet given out by `next`, oldest first. */
  readonly #requests: Uint32Array[] = [];
  /** Null: not begun, or failed. */
  #loading: Promise<LoadedRows> | null = null;
  #isOpen = true;

  private constructor(file: RowFileSpec, transform: FeatureTransform, maxRows: number) {
    this.#file = file;
    this.#transform = transform;
    this.#maxRows = maxRows;
  }

  /** Reads nothing yet. @param maxRows most rows in one batch @throws RangeError */
  static open(file: RowFileSpec, transform: FeatureTransform, maxRows: number): LoadedBatches {
    if (!Number.isInteger(maxRows) || maxRows < 1) throw new RangeError(`maxRows is ${maxRows}`);
    return new LoadedBatches(file, transform, maxRows);
  }

  prefetch(rows: Uint32Array): void {
    if (rows.length > this.#maxRows)
      throw new RangeError(`${rows.length} rows asked for, at most ${this.#maxRows} fit`);
    this.#requests.push(rows.slice());
    if (rows.length > 0) void this.#loaded().catch(() => undefined);
  }

  async next(signal?: AbortSignal): Promise<MicroBatch | null> {
    const [request] = this.#requests;
    if (request === undefined) throw new RangeError("next() without a request: call prefetch() first");
    // Nothing else here waits once the file is loaded.
    await nextTurn();
    signal?.throwIfAborted();
    const loaded =
      request.length === 0 ? null : await this.#within(signal).catch((cause: unknown) => this.#failed(cause, signal));
    this.#requests.shift();
    return loaded === null ? null : loaded.batch(request);
  }

  /** Requests not yet given out are dropped. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    this.#loading = null;
    return Promise.resolve();
  }

  #within(signal: AbortSignal | undefined): Promise<LoadedRows> {
    return signal === undefined ? this.#loaded() : unlessAborted(this.#loaded(), signal);
  }

  /** A request that failed is done with, one that is no longer waited for is not. */
  #failed(cause: unknown, signal: AbortSignal | undefined): never {
    if (signal?.aborted !== true) this.#requests.shift();
    throw cause;
  }

  /** A file that could not be read is tried again for a later request. */
  #loaded(): Promise<LoadedRows> {
    if (!this.#isOpen) return Promise.reject(new RingstrasseError({ code: "INTERNAL", problem: "the data is closed" }));
    this.#loading ??= LoadedRows.load(this.#file, this.#transform, this.#maxRows).catch((cause: unknown) => {
      this.#loading = null;
      throw cause;
    });
    return this.#loading;
  }
}
