import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { deferred } from "../../shared/deferred.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { exitCodeOf, type Failure, RingstrasseError } from "../../shared/failure.js";
import { type FromRank, type MeetingPoint, ToRankSchema } from "../../shared/launch/rank-messages.js";

/**
 * A rank's connection to its coordinator, for the life of the process: while it stands the process is there, and at its end comes the
 * run's exit code.
 */
export class Lifeline implements Disposable {
  readonly #socket: Socket;
  readonly #endpoint: string;
  readonly #welcomed = deferred<void>();
  readonly #exitCode = deferred<number>();
  readonly #broken = new AbortController();

  private constructor(socket: Socket, endpoint: string) {
    this.#socket = socket;
    this.#endpoint = endpoint;
    let why = "it hung up";
    createInterface({ input: socket })
      .on("line", (line) => this.#hear(line))
      .on("error", () => socket.destroy());
    socket.on("error", (error) => {
      why = error.message;
    });
    socket.once("close", () => {
      const lost = this.#lost(`the lifeline broke (${why})`);
      this.#welcomed.reject(lost);
      this.#exitCode.reject(lost);
      this.#broken.abort(lost);
    });
  }

  /** Aborts when the coordinator is gone or has given this rank up; the reason is a RingstrasseError. */
  get signal(): AbortSignal {
    return this.#broken.signal;
  }

  /** Resolves when the coordinator knows this rank. @throws RingstrasseError COORDINATOR_LOST */
  static async open(at: MeetingPoint["lifeline"], here: Extract<FromRank, { kind: "here" }>): Promise<Lifeline> {
    const endpoint = "path" in at ? at.path : `${at.host}:${at.port}`;
    const lifeline = new Lifeline(connect(at), endpoint);
    lifeline.#tell(here);
    await lifeline.#welcomed.promise;
    return lifeline;
  }

  /** This rank was sent a signal. */
  signalled(signal: string): void {
    if (this.#socket.writable) this.#tell({ kind: "signal", signal });
  }

  /**
   * This rank's work is over. @param failure of its own, null: none. @returns with what code all ranks exit
   * @throws RingstrasseError COORDINATOR_LOST
   */
  async done(failure: Failure | null): Promise<number> {
    const exitCode = failure === null ? 0 : exitCodeOf(failure.code);
    this.#tell({ kind: "done", exitCode, lastWords: failure === null ? null : describeFailure(failure) });
    return await this.#exitCode.promise;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #tell(message: FromRank): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #hear(line: string): void {
    try {
      const message = ToRankSchema.parse(JSON.parse(line));
      if (message.kind === "welcome") this.#welcomed.resolve();
      else this.#exitCode.resolve(message.exitCode);
    } catch (cause) {
      this.#exitCode.reject(this.#lost("it says what no coordinator of this version says", cause));
      this.#socket.destroy();
    }
  }

  #lost(problem: string, cause?: unknown): RingstrasseError {
    const what = { code: "COORDINATOR_LOST", endpoint: this.#endpoint, silentMs: null, problem } as const;
    return new RingstrasseError(what, { cause });
  }
}
