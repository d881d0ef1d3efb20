import type { Rendezvous } from "../../shared/launch/rank-messages.js";
import type { MpiAccess } from "../mpi/mpi-access.js";

/** How the ranks of one run find each other. */
export interface RankMeeting extends AsyncDisposable {
  /** How to get at the MPI that has begun for this process; null: none has. */
  readonly mpi: MpiAccess | null;
  /**
   * Rank 0 tells all where they meet. Once.
   * @param own what rank 0 has to say; null on the others. @returns what rank 0 says
   * @throws the signal's reason when aborted; RingstrasseError COLLECTIVE_UNAVAILABLE, LAUNCH_FAILED
   */
  share(own: Rendezvous | null, signal: AbortSignal): Promise<Rendezvous>;
  /**
   * Where the others' sockets reach this host.
   * @param rankZero address of rank 0's host, as it says where to meet
   * @throws RingstrasseError USAGE, ENDPOINT_UNAVAILABLE
   */
  ownAddress(rankZero: string): Promise<string>;
  /** All ranks have ended well. */
  finish(): Promise<void>;
}
