import { expect } from "vitest";
import { contribute, type GroupShape, type GroupWorker } from "./exchange-group.js";

/** Exchanges `count` times on all; how each worker ended. Whoever is left waiting is called off, as the coordinator does. */
export async function settleExchanges(
  workers: readonly GroupWorker[],
  shape: GroupShape,
  count = 1,
): Promise<PromiseSettledResult<void>[]> {
  const controller = new AbortController();
  const run = async (worker: GroupWorker): Promise<void> => {
    for (let sequence = 0; sequence < count; sequence++) {
      contribute(worker, shape, { sequence, withArena: true });
      await worker.collective.allReduce({ sequence, withArena: true }, controller.signal);
    }
  };
  return await Promise.allSettled(
    workers.map((worker) =>
      run(worker).catch((error: unknown) => {
        controller.abort(new Error("called off"));
        throw error;
      }),
    ),
  );
}

/** How a worker ends that was sent what doesn't belong. */
export function violation(from: string, problem: string) {
  const failure = { code: "PROTOCOL_VIOLATION", from, problem: expect.stringContaining(problem) };
  return { status: "rejected", reason: expect.objectContaining({ failure }) };
}
