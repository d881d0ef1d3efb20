import { setImmediate as nextTurn } from "node:timers/promises";
import type { FeatureTransform, RowFileSpec } from "../../shared/data/dataset-spec.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { MicroBatch } from "../engine/engine.js";
import { unlessAborted } from "../unless-aborted.js";
import type { BatchSource } from "./batch-source.js";
import { LoadedRows } from "./loaded-rows.js";

/** How long batches follow one another before the event loop gets a turn. */
const TURN_EVERY_MS = 5;

/** Batches of a row file that is loaded into memory when the first one is asked for. They are made when they are needed. */
export class LoadedBatches implements BatchSource {
  readonly #file: RowFileSpec;
  readonly #transform: FeatureTransform;
  readonly #maxRows: number;
  /** Not yet given out by `next`, oldest first. */
  readonly #requests: Uint32Array[] = [];
  /** Null: not begun, or failed. */
  #loading: Promise<LoadedRows> | null = null;
  /** Null: not loaded yet. */
  #rows: LoadedRows | null = null;
  #lastTurnMs = Number.NEGATIVE_INFINITY;
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
    await this.#leaveTurns();
    signal?.throwIfAborted();
    const isEmpty = request.length === 0;
    // Not awaited once it is there: that and the signal's listener took 0.01 ms of every step.
    const rows = isEmpty ? null : (this.#rows ?? (await this.#arrived(signal)));
    this.#requests.shift();
    return rows === null ? null : rows.batch(request);
  }

  /** Requests not yet given out are dropped. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    this.#loading = null;
    this.#rows = null;
    return Promise.resolve();
  }

  /** Nothing else makes a worker wait that trains alone, once the file is loaded. */
  async #leaveTurns(): Promise<void> {
    if (performance.now() - this.#lastTurnMs < TURN_EVERY_MS) return;
    await nextTurn();
    this.#lastTurnMs = performance.now();
  }

  /** A request that failed is done with, one that is no longer waited for is not. */
  async #arrived(signal: AbortSignal | undefined): Promise<LoadedRows> {
    try {
      return await (signal === undefined ? this.#loaded() : unlessAborted(this.#loaded(), signal));
    } catch (cause) {
      if (signal?.aborted !== true) this.#requests.shift();
      throw cause;
    }
  }

  /** A file that could not be read is tried again for a later request. */
  #loaded(): Promise<LoadedRows> {
    if (!this.#isOpen) return Promise.reject(new RingstrasseError({ code: "INTERNAL", problem: "the data is closed" }));
    this.#loading ??= LoadedRows.load(this.#file, this.#transform, this.#maxRows).then(
      (rows) => {
        if (this.#isOpen) this.#rows = rows;
        return rows;
      },
      (cause: unknown) => {
        this.#loading = null;
        throw cause;
      },
    );
    return this.#loading;
  }
}
