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
  let [...open] = requests;
  for (;;) {
    signal.throwIfAborted();
    do {
      open = open.filter((request) => !request.isDone());
      if (open.length === 0) return;
    } while (patience.asksAgain());
    await patience.pause();
  }
}
