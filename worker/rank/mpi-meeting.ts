import type { LaunchedPlace } from "../../shared/launch/launched-place.js";
import type { Rendezvous } from "../../shared/launch/rank-messages.js";
import { type BoundMpi, bindMpi, type MpiWish } from "../mpi/bind-mpi.js";
import type { MpiAccess } from "../mpi/mpi-access.js";
import { mpiUnavailable } from "../mpi/mpi-failure.js";
import { rankAddress } from "./rank-address.js";
import type { RankMeeting } from "./rank-meeting.js";
import { shareRendezvous } from "./share-rendezvous.js";

export interface MpiMeetingOptions {
  readonly wish: MpiWish;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Tells the user something, in one line. */
  readonly announce: (line: string) => void;
  /** As the user names it. */
  readonly interfaceName: string | null;
}

/** Ranks whose launcher is MPI's find each other by MPI's broadcast. */
export class MpiMeeting implements RankMeeting {
  readonly mpi: MpiAccess;
  readonly #bound: BoundMpi;
  readonly #interface: string | null;

  private constructor(bound: BoundMpi, interfaceName: string | null) {
    this.mpi = bound.access;
    this.#bound = bound;
    this.#interface = interfaceName;
  }

  /**
   * Begins MPI for this process.
   * @throws RingstrasseError COLLECTIVE_UNAVAILABLE
   */
  static async open(place: LaunchedPlace, options: MpiMeetingOptions): Promise<MpiMeeting> {
    const { wish, environment, interfaceName } = options;
    // The ranks of a host have the same libraries: one of them speaks for all.
    const speaks = (place.localRank ?? 0) === 0;
    const announce = speaks ? options.announce : () => undefined;
    const bound = await bindMpi(wish, { launcher: place.launcher, environment, announce });
    refuseOtherRanks(bound, place);
    return new MpiMeeting(bound, interfaceName);
  }

  share(own: Rendezvous | null, signal: AbortSignal): Promise<Rendezvous> {
    return shareRendezvous(this.#bound.mpi, own, signal);
  }

  ownAddress(rankZero: string): Promise<string> {
    return rankAddress(this.#interface, rankZero);
  }

  finish(): Promise<void> {
    return this.#bound.mpi.finalize();
  }

  [Symbol.asyncDispose](): Promise<void> {
    // MPI ends only when all ranks are there to end it: see finish.
    return Promise.resolve();
  }
}

/** Another MPI than the launcher's makes each process a world of its own. */
function refuseOtherRanks({ mpi, by, access }: BoundMpi, { rank, worldSize }: LaunchedPlace): void {
  if (mpi.rank === rank && mpi.size === worldSize) return;
  const problem = `${by} (${mpi.version}) takes this process for rank ${mpi.rank} of ${mpi.size}, its launcher for rank ${rank} of ${worldSize}`;
  const what = access.kind === "library" ? "library" : "compiler";
  throw mpiUnavailable(
    problem,
    `Name the ${what} of the MPI whose mpirun was used by --mpi-${what}, or use its mpirun`,
  );
}
