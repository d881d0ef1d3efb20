import { rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { createRowOrder, type RowOrder } from "../../shared/data/row-order.js";
import { microBatchSpan, type Span, stepSpan, stepsPerEpoch } from "../../shared/epoch-plan.js";
import type { JobSpec } from "../../shared/job-spec.js";
import type { BatchSource } from "../data/batch-source.js";
import { openBatches } from "../data/open-batches.js";
import { readAheadOf } from "../data/read-ahead.js";
import type { MicroBatch } from "../engine/engine.js";
import { evaluationRows, mostRowsAtOnce } from "./step-memory.js";

/** Names one micro-batch; epoch and step count from 1. */
export interface MicroBatchId {
  readonly epoch: number;
  readonly step: number;
  readonly replica: number;
  /** Counts the micro-batches of the replica's slice from 0. */
  readonly accumulation: number;
}

/**
 * The micro-batches of this worker's replicas, in the order in which they are computed: step by step, replica by replica, part
 * by part. While one is
 * computed the next ones are read, unless all rows are in memory or batches are so large that they would take too much of it.
 */
export class MicroBatchStream implements AsyncDisposable {
  readonly #spec: JobSpec;
  readonly #localReplicas: readonly number[];
  readonly #stepsPerEpoch: number;
  readonly #training: BatchSource;
  readonly #testing: BatchSource | null;
  readonly #rows: Uint32Array;
  readonly #readAhead: number;
  #order: { readonly epoch: number; readonly rows: RowOrder } | null = null;
  /** What was asked of the reader and not yet given out, oldest first. */
  readonly #ahead: MicroBatchId[] = [];

  private constructor(spec: JobSpec, localReplicas: readonly number[]) {
    const { train, test, transform } = spec.dataset;
    this.#spec = spec;
    this.#localReplicas = localReplicas;
    this.#stepsPerEpoch = stepsPerEpoch(train.rowCount, spec.batchSize);
    const maxRows = Math.max(1, mostRowsAtOnce(spec));
    this.#rows = new Uint32Array(maxRows);
    this.#readAhead = readAheadOf(train, maxRows);
    this.#training = openBatches(train, transform, { maxRows, slots: 1 + this.#readAhead });
    this.#testing = test === null ? null : openBatches(test, transform, { maxRows: Math.max(1, evaluationRows(spec)) });
  }

  static open(spec: JobSpec, localReplicas: readonly number[]): MicroBatchStream {
    return new MicroBatchStream(spec, localReplicas);
  }

  /**
   * The micro-batch `id`, null when its slice is empty; valid until the next call. Calls come in the stream's order, from any
   * position on.
   * @throws RingstrasseError INPUT_MISSING, DATA_INVALID when the rows can't be read.
   */
  next(id: MicroBatchId, signal: AbortSignal): Promise<MicroBatch | null> {
    const expected = this.#ahead.shift();
    if (expected === undefined) this.#ask(id);
    else if (!sameBatch(expected, id))
      throw new Error(`micro-batch ${describe(id)} is out of turn after ${describe(expected)}`);
    const batch = this.#training.next(signal);
    while (this.#ahead.length < this.#readAhead) {
      const following = this.#following(this.#ahead.at(-1) ?? id);
      if (following === null) break;
      this.#ask(following);
      this.#ahead.push(following);
    }
    return batch;
  }

  /** Test rows [from, to) in file order, in batches of at most {@link evaluationRows}; each valid until the next. */
  async *testRows(span: Span, signal: AbortSignal): AsyncGenerator<MicroBatch, void> {
    const reader = this.#testing;
    if (reader === null) return;
    const batches = cut(span, evaluationRows(this.#spec));
    for (const [index, rows] of batches.entries()) {
      if (index === 0) reader.prefetch(rows);
      const following = batches[index + 1];
      if (following !== undefined) reader.prefetch(following);
      const batch = await reader.next(signal);
      if (batch !== null) yield batch;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#training[Symbol.asyncDispose]();
    await this.#testing?.[Symbol.asyncDispose]();
  }

  #ask(id: MicroBatchId): void {
    const { train } = this.#spec.dataset;
    const step = stepSpan(train.rowCount, this.#spec.batchSize, (id.step - 1) % this.#stepsPerEpoch);
    const { replicas, stepRules } = this.#spec;
    const { from, to } = microBatchSpan(step, { ...id, replicas, accumulate: stepRules.accumulate });
    const rows = this.#rows.subarray(0, to - from);
    this.#orderOf(id.epoch).fill(from, to, rows);
    this.#training.prefetch(rows);
  }

  /** The batch after `id`; null after the last one of the job. */
  #following({ epoch, step, replica, accumulation }: MicroBatchId): MicroBatchId | null {
    if (accumulation + 1 < this.#spec.stepRules.accumulate) {
      return { epoch, step, replica, accumulation: accumulation + 1 };
    }
    const [first = 0] = this.#localReplicas;
    const last = this.#localReplicas.at(-1) ?? first;
    if (replica < last) return { epoch, step, replica: replica + 1, accumulation: 0 };
    const endsEpoch = step % this.#stepsPerEpoch === 0;
    if (endsEpoch && epoch === this.#spec.epochs) return null;
    return { epoch: endsEpoch ? epoch + 1 : epoch, step: step + 1, replica: first, accumulation: 0 };
  }

  #orderOf(epoch: number): RowOrder {
    if (this.#order?.epoch !== epoch) {
      const { seed, dataset } = this.#spec;
      const { train } = dataset;
      const key = { seed, epoch, rowCount: train.rowCount, rowSizeBytes: rowSizeBytes(train) };
      this.#order = { epoch, rows: createRowOrder(key) };
    }
    return this.#order.rows;
  }
}

function cut({ from, to }: Span, size: number): Uint32Array[] {
  const batches: Uint32Array[] = [];
  for (let start = from; start < to; start += size) {
    const length = Math.min(size, to - start);
    batches.push(Uint32Array.from({ length }, (_, index) => start + index));
  }
  return batches;
}

function sameBatch(a: MicroBatchId, b: MicroBatchId): boolean {
  return a.step === b.step && a.epoch === b.epoch && a.replica === b.replica && a.accumulation === b.accumulation;
}

function describe({ epoch, step, replica, accumulation }: MicroBatchId): string {
  return `epoch ${epoch}, step ${step}, replica ${replica}, part ${accumulation}`;
}
