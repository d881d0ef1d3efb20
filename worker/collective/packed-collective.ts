import type { Collective, Exchange, ExchangeReport, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import type { PackedSums } from "./packed-sums.js";

/**
 * Any ordered collective with 16-bit payloads: it folds and moves packed sums without knowing it, through a folder that has the same
 * {@link PackedSums}; here their scale is set before an exchange, and the totals are unpacked after it.
 */
export class PackedCollective implements Collective {
  readonly name: string;
  readonly ordered: boolean;
  readonly totals: TotalPlaces;
  readonly #inner: Collective;
  readonly #packed: PackedSums;
  /** Of the arena. */
  readonly #blockCount: number;

  constructor(inner: Collective, packed: PackedSums, blockCount: number) {
    this.name = inner.name;
    this.ordered = inner.ordered;
    this.totals = inner.totals;
    this.#inner = inner;
    this.#packed = packed;
    this.#blockCount = blockCount;
  }

  async allReduce(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    const { sequence, withArena, scale = 1 } = exchange;
    const startMs = performance.now();
    this.#packed.scaleBy(scale);
    const report = await this.#inner.allReduce(exchange, signal);
    if (!withArena) return report;
    const turns = new EventLoopTurns(signal);
    for (let block = 1; block <= this.#blockCount; block++) await turns.after(this.#packed.unpack(block, sequence));
    return { ...report, elapsedMs: performance.now() - startMs };
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#inner[Symbol.asyncDispose]();
  }
}
