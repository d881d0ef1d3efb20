import { RingstrasseError } from "../../shared/failure.js";
import type { AddressableMemory } from "../collective/block-folder.js";
import type { Collective, Exchange, ExchangeBuffers, ExchangeReport, TotalPlaces } from "../collective/collective.js";
import { ExchangeGuard } from "../collective/exchange-guard.js";
import type { AsyncParameters } from "./async-parameters.js";

export interface AsyncScalarsOptions {
  readonly parameters: AsyncParameters;
  readonly buffers: ExchangeBuffers;
  /** What the addresses in `buffers` refer to. */
  readonly memory: AddressableMemory;
}

/**
 * The exchanges of an asynchronous job: scalars alone, at the ends of epochs and in evaluations, summed by the worker that has the
 * parameters. Gradients never go this way.
 */
export class AsyncScalars implements Collective {
  readonly name = "parameter-server";
  readonly ordered = false;
  readonly #options: AsyncScalarsOptions;
  readonly #guard = new ExchangeGuard();

  constructor(options: AsyncScalarsOptions) {
    this.#options = options;
  }

  get totals(): TotalPlaces {
    const { sums, scalarSums } = this.#options.buffers;
    return { sums, scalarSums };
  }

  allReduce(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    return this.#guard.run(exchange, signal, () => this.#run(exchange, signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#guard.close();
    return Promise.resolve();
  }

  async #run({ sequence, withArena }: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    if (withArena) {
      throw new RingstrasseError({
        code: "INTERNAL",
        problem: "gradients of an asynchronous job were to be exchanged",
      });
    }
    const startMs = performance.now();
    const { parameters, buffers, memory } = this.#options;
    const { scalars, scalarCount, scalarSums } = buffers;
    const own = new Float64Array(scalarCount);
    for (const address of scalars) {
      const values = new Float64Array(memory.buffer, address, scalarCount);
      for (const [index, value] of values.entries()) own[index] = (own[index] ?? 0) + value;
    }
    const { totals, sentBytes, receivedBytes } = await parameters.sum(own, signal);
    new Float64Array(memory.buffer, scalarSums[sequence % 2 === 0 ? 0 : 1], scalarCount).set(totals);
    return { sentBytes, receivedBytes, elapsedMs: performance.now() - startMs };
  }
}
