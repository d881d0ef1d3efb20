import type { MeetingPoint } from "../../shared/launch/rank-messages.js";
import type { LaunchedWorker, Launcher, LaunchPlan } from "./launcher.js";
import type { RankLifelines } from "./rank-lifelines.js";

/**
 * The ranks that a launcher (mpirun, srun, torchrun, Kubernetes) has started already, of which this coordinator is a child: they are told where it
 * is, and come. A rank keeps its number in the job.
 */
export class RankLauncher implements Launcher {
  readonly name: string;
  readonly #lifelines: RankLifelines;
  readonly #announce: (meeting: MeetingPoint) => void;
  readonly #socketFolder: string | null;

  /**
   * @param name the launcher's command
   * @param lifelines stay the caller's
   * @param socketFolder for the ranks' own sockets, which leave nothing behind there; null: they are on several hosts
   * @param announce tells the ranks, through the one that started this process
   */
  constructor(
    name: string,
    lifelines: RankLifelines,
    socketFolder: string | null,
    announce: (meeting: MeetingPoint) => void,
  ) {
    this.name = name;
    this.#lifelines = lifelines;
    this.#socketFolder = socketFolder;
    this.#announce = announce;
  }

  launch(plan: LaunchPlan, launched: (worker: LaunchedWorker) => void): Promise<void> {
    const { coordinatorEndpoint, token, logLevel, engine, threads } = plan;
    this.#lifelines.onRank(launched);
    const places = { lifeline: this.#lifelines.place, socketFolder: this.#socketFolder };
    this.#announce({ kind: "meet", coordinatorEndpoint, token, ...places, logLevel, engine, threads });
    return Promise.resolve();
  }
}
