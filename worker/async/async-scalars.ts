import { RingstrasseError } from "../../shared/failure.js";
import type { AddressableMemory } from "../collective/block-folder.js";
import type { Exchange, ExchangeBuffers, TotalPlaces } from "../collective/collective.js";
import { GuardedCollective, type MovedBytes } from "../collective/guarded-collective.js";
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
export class AsyncScalars extends GuardedCollective {
  readonly name = "parameter-server";
  readonly ordered = false;
  readonly #options: AsyncScalarsOptions;

  constructor(options: AsyncScalarsOptions) {
    super();
    this.#options = options;
  }

  get totals(): TotalPlaces {
    const { sums, scalarSums } = this.#options.buffers;
    return { sums, scalarSums };
  }

  protected async run({ sequence, withArena }: Exchange, signal: AbortSignal): Promise<MovedBytes> {
    if (withArena) {
      throw new RingstrasseError({
        code: "INTERNAL",
        problem: "gradients of an asynchronous job were to be exchanged",
      });
    }
    const { parameters, buffers, memory } = this.#options;
    const { scalars, scalarCount, scalarSums } = buffers;
    const own = new Float64Array(scalarCount);
    for (const address of scalars) {
      const values = new Float64Array(memory.buffer, address, scalarCount);
      for (const [index, value] of values.entries()) own[index] = (own[index] ?? 0) + value;
    }
    const { totals, sentBytes, receivedBytes } = await parameters.sum(own, signal);
    new Float64Array(memory.buffer, scalarSums[sequence % 2 === 0 ? 0 : 1], scalarCount).set(totals);
    return { sentBytes, receivedBytes };
  }
}
