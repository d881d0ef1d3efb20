import type { MpiRequest } from "./mpi.js";
import { Patience } from "./patience.js";

/**
 * Resolves when all requests are done, asking them in turn; the event loop turns between.
 * @throws the signal's reason when aborted: the requests are still under way then, and their memory with them
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE when MPI has failed
 */
export async function settled(
  requests: readonly MpiRequest[],
  signal: AbortSignal,
  patience = new Patience(),
): Promise<void> {
  const open = [...requests];
  for (;;) {
    signal.throwIfAborted();
    do {
      for (let index = open.length - 1; index >= 0; index--) if (open[index]?.isDone() === true) open.splice(index, 1);
      if (open.length === 0) return;
    } while (patience.asksAgain());
    await patience.pause();
  }
}
