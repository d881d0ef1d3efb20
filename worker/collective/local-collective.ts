import type { BlockFolder } from "./block-folder.js";
import type { Collective, Exchange, ExchangeReport, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { ExchangeGuard } from "./exchange-guard.js";
import type { FoldSchedule } from "./fold-schedule.js";

/**
 * The collective of one worker that holds all replicas: the same visits and the same folder as the ring, without hops,
 * hence the same bits. Cost: R − 1 additions per element.
 */
export class LocalCollective implements Collective {
  readonly name = "local";
  readonly ordered = true;
  readonly totals: TotalPlaces;
  readonly #schedule: FoldSchedule;
  readonly #folder: BlockFolder;
  readonly #guard = new ExchangeGuard();

  /** @throws RangeError when the schedule is one of several workers. */
  constructor(schedule: FoldSchedule, folder: BlockFolder) {
    if (schedule.workers !== 1) throw new RangeError(`a local collective of ${schedule.workers} workers`);
    this.#schedule = schedule;
    this.#folder = folder;
    this.totals = folder.totals;
  }

  allReduce(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    return this.#guard.run(exchange, signal, () => this.#fold(exchange, signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#guard.close();
    return Promise.resolve();
  }

  async #fold({ sequence, withArena }: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    const startMs = performance.now();
    const turns = new EventLoopTurns(signal);
    for (const [block, bytes] of this.#folder.blockBytes(withArena).entries()) {
      for (const { replicas, foldedBefore } of this.#schedule.visits(block)) {
        if (foldedBefore === 0) this.#folder.open(block, sequence, replicas);
        else this.#folder.fold(block, sequence, replicas);
      }
      await turns.after(bytes * (this.#schedule.replicas - 1));
    }
    return { sentBytes: 0, receivedBytes: 0, elapsedMs: performance.now() - startMs };
  }
}
