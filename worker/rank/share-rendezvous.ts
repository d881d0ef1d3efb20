import { type Rendezvous, RendezvousSchema } from "../../shared/launch/rank-messages.js";
import type { Mpi } from "../mpi/mpi.js";
import { mpiUnavailable } from "../mpi/mpi-failure.js";
import { settled } from "../mpi/settled.js";

/** The same on all ranks, as a broadcast needs it. */
const MESSAGE_BYTES = 8192;

/**
 * Rank 0 tells all where they meet, by MPI's broadcast: no port or file has to be agreed on before, on one host or many.
 * @param own what rank 0 has to say; null on the others. @returns what rank 0 says
 * @throws the signal's reason when aborted; RingstrasseError COLLECTIVE_UNAVAILABLE
 */
export async function shareRendezvous(mpi: Mpi, own: Rendezvous | null, signal: AbortSignal): Promise<Rendezvous> {
  const message = Buffer.alloc(MESSAGE_BYTES);
  if (own !== null) {
    const text = JSON.stringify(own);
    if (Buffer.byteLength(text) > MESSAGE_BYTES) throw new RangeError(`a rendezvous of ${text.length} characters`);
    message.write(text);
  }
  await settled([mpi.broadcast(message, 0)], signal);
  try {
    return RendezvousSchema.parse(JSON.parse(message.toString("utf8").replace(/\0+$/, "")));
  } catch (cause) {
    const remedy = "Let all ranks run the same version of ringstrasse";
    throw mpiUnavailable("rank 0 says what this version does not understand", remedy, cause);
  }
}
