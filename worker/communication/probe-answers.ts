import type { HealthServer } from "./health-server.js";
import type { ProgressBoard } from "./progress-board.js";
import { HealthWatch } from "./worker-health.js";

/** What an orchestrator's probes are told of this worker; nothing where nobody asked for a port. */
export class ProbeAnswers implements AsyncDisposable {
  /** Whether a coordinator counts with this worker. */
  joined = false;
  readonly #server: Promise<HealthServer> | null;

  /** @param port null: none. @param fail is told of a port that can't be had */
  constructor(port: number | null, board: ProgressBoard, fail: (thrown: unknown) => void) {
    this.#server = port === null ? null : this.#open(port, board);
    this.#server?.catch(fail);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not listen has been told of.
    await this.#server?.then((server) => server[Symbol.asyncDispose]()).catch(() => undefined);
  }

  async #open(port: number, board: ProgressBoard): Promise<HealthServer> {
    // On demand: few workers are probed.
    const { HealthServer } = await import("./health-server.js");
    const watch = new HealthWatch();
    return await HealthServer.open(port, () => watch.look(board.read(), this.joined, performance.now()));
  }
}
