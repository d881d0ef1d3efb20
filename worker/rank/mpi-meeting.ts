import type { LaunchedPlace } from "../../shared/launch/launched-place.js";
import type { Rendezvous } from "../../shared/launch/rank-messages.js";
import { outwardAddress } from "../../shared/transport/outward-address.js";
import { chooseLibrary } from "../mpi/choose-library.js";
import type { Mpi } from "../mpi/mpi.js";
import { mpiUnavailable } from "../mpi/mpi-failure.js";
import { beginMpi } from "../mpi/mpi-library.js";
import type { RankMeeting } from "./rank-meeting.js";
import { shareRendezvous } from "./share-rendezvous.js";

/** Ranks whose launcher is MPI's find each other by MPI's broadcast. */
export class MpiMeeting implements RankMeeting {
  readonly mpiLibrary: string;
  readonly #mpi: Mpi;
  readonly #interface: string | null;

  /**
   * Begins MPI in this process.
   * @param library as the user names it; null: the one that goes with the launcher. @param interfaceName as the user names it
   * @throws RingstrasseError COLLECTIVE_UNAVAILABLE
   */
  constructor(place: LaunchedPlace, library: string | null, interfaceName: string | null) {
    this.mpiLibrary = chooseLibrary(place.launcher, library);
    this.#mpi = beginMpi(this.mpiLibrary);
    this.#interface = interfaceName;
    refuseOtherRanks(this.#mpi, place, this.mpiLibrary);
  }

  share(own: Rendezvous | null, signal: AbortSignal): Promise<Rendezvous> {
    return shareRendezvous(this.#mpi, own, signal);
  }

  ownAddress(): string {
    return outwardAddress(this.#interface);
  }

  finish(): void {
    this.#mpi.finalize();
  }

  [Symbol.asyncDispose](): Promise<void> {
    // MPI ends only when all ranks are there to end it: see finish.
    return Promise.resolve();
  }
}

/** The library of another MPI than the launcher's makes each process a world of its own. */
function refuseOtherRanks(mpi: Mpi, { rank, worldSize }: LaunchedPlace, library: string): void {
  if (mpi.rank === rank && mpi.size === worldSize) return;
  const problem = `${library} (${mpi.version}) takes this process for rank ${mpi.rank} of ${mpi.size}, its launcher for rank ${rank} of ${worldSize}`;
  throw mpiUnavailable(
    problem,
    "Name the library of the MPI whose mpirun was used by --mpi-library, or use its mpirun",
  );
}
