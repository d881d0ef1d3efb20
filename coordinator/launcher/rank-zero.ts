import type { EventEmitter } from "node:events";
import { RingstrasseError } from "../../shared/failure.js";
import type { LaunchedPlace } from "../../shared/launch/launched-place.js";
import { type MeetingPoint, ToCoordinatorProcessSchema } from "../../shared/launch/rank-messages.js";
import { RankLifelines } from "./rank-lifelines.js";

/** Rank 0 dies with the others: what their lifelines tell comes first, and names who died before it. */
const ORPHAN_MS = 500;

/** The end of the pipe to the parent process, as `process` has it. */
export interface ParentPipe extends Pick<EventEmitter, "on" | "off"> {
  send?(message: unknown): boolean;
}

/**
 * The process of rank 0, which started this coordinator, and through it the other ranks. It hears where to meet; from it come the
 * signals that the launcher sends to ranks, since this process has a session of its own, which launchers don't reach (ADR 15).
 */
export class RankZero implements AsyncDisposable {
  /** Of the ranks, as the launcher's variables say. */
  readonly place: LaunchedPlace;
  readonly #parent: ParentPipe;
  readonly #abort = new AbortController();
  #hear: ((signal: string) => void) | null = null;
  #hearOfOthers: ((signal: string, rank: number) => void) | null = null;
  #lifelines: RankLifelines | null = null;
  #orphaned: NodeJS.Timeout | null = null;

  /** @throws RingstrasseError USAGE when this process was not started by a rank */
  constructor(place: LaunchedPlace | null, parent: ParentPipe) {
    if (place === null || parent.send === undefined) {
      const problem =
        "mpirun, srun, torchrun and kubernetes are what `ringstrasse train` gives itself as one of their ranks";
      const remedy = "Use: mpirun -np N (or srun -n N) ringstrasse train DEF.xml, without --launcher";
      throw new RingstrasseError({ code: "USAGE", option: "--launcher", problem, remedy });
    }
    this.place = place;
    this.#parent = parent;
    parent.on("message", this.#onMessage);
    parent.on("disconnect", this.#onDisconnect);
  }

  /** Aborts when the launcher tells the ranks to end, or rank 0 is gone; the reason is a RingstrasseError. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Gives the launcher's signals to `hear` from now on, instead of aborting by them. */
  onSignal(hear: (signal: string) => void): void {
    this.#hear = hear;
  }

  /** Tells `hear` of the signals that other ranks are sent. */
  onOthersSignal(hear: (signal: string, rank: number) => void): void {
    this.#hearOfOthers = hear;
  }

  /** Listens for the ranks. Once. @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  async openLifelines(
    at: { readonly path: string } | { readonly host: string },
    token: string,
  ): Promise<RankLifelines> {
    this.#lifelines = await RankLifelines.open(at, { token, worldSize: this.place.worldSize });
    this.#lifelines.onSignal((signal, rank) => this.#hearOfOthers?.(signal, rank));
    return this.#lifelines;
  }

  announce(meeting: MeetingPoint): void {
    this.#parent.send?.(meeting);
  }

  /** Tells the ranks with what code to exit: the run is over, and all has been said about it. */
  async farewell(exitCode: number): Promise<void> {
    await this.#lifelines?.farewell(exitCode);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parent.off("message", this.#onMessage);
    this.#parent.off("disconnect", this.#onDisconnect);
    if (this.#orphaned !== null) clearTimeout(this.#orphaned);
    await this.#lifelines?.[Symbol.asyncDispose]();
  }

  readonly #onMessage = (message: unknown): void => {
    const { signal } = ToCoordinatorProcessSchema.parse(message);
    if (this.#hear !== null) return this.#hear(signal);
    this.#abort.abort(new RingstrasseError({ code: "INTERRUPTED", signal }));
  };

  readonly #onDisconnect = (): void => {
    const reason = new RingstrasseError({ code: "INTERRUPTED", signal: "the end of rank 0" });
    this.#orphaned = setTimeout(() => this.#abort.abort(reason), ORPHAN_MS);
  };
}
