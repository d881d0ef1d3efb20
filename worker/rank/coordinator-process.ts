import { type ChildProcess, spawn } from "node:child_process";
import { hostname } from "node:os";
import process from "node:process";
import { deferred } from "../../shared/deferred.js";
import { RingstrasseError } from "../../shared/failure.js";
import { MeetingPointSchema, type Rendezvous, type ToCoordinatorProcess } from "../../shared/launch/rank-messages.js";

/**
 * The coordinator of the run, as a child of rank 0. It has this process's stdout and stderr, and a session of its own: a launcher that
 * kills the ranks by their process groups leaves it the moment to say which of them died first. It ends with the run, or soon after this
 * process.
 */
export class CoordinatorProcess {
  readonly #child: ChildProcess;
  readonly #rendezvous = deferred<Rendezvous>();
  /** With its exit code, 1 when a signal ended it. */
  readonly ended: Promise<number>;

  /** @param entry the compiled command. @param args of `ringstrasse train`, with the launcher of the ranks */
  constructor(entry: string, args: readonly string[]) {
    this.#child = spawn(process.execPath, [entry, "train", ...args], {
      detached: true,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (message) => this.#hear(message));
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (cause) => {
        const remedy = "Check the limits on processes and memory of this host (ulimit -u, free -m)";
        const failure = { code: "LAUNCH_FAILED", host: hostname(), problem: cause.message, remedy } as const;
        this.#rendezvous.reject(new RingstrasseError(failure, { cause }));
      });
      this.#child.once("close", (exitCode) => {
        this.#rendezvous.resolve({ kind: "end", exitCode: exitCode ?? 1 });
        resolve(exitCode ?? 1);
      });
    });
  }

  /** Where to meet, or that the run is over before. @throws RingstrasseError LAUNCH_FAILED */
  rendezvous(): Promise<Rendezvous> {
    return this.#rendezvous.promise;
  }

  /** Tells it of a signal that this rank was sent. */
  interrupt(signal: string): void {
    const message: ToCoordinatorProcess = { kind: "signal", signal };
    // It may have ended meanwhile, which is what the signal asks for.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #hear(message: unknown): void {
    const parsed = MeetingPointSchema.safeParse(message);
    if (parsed.success) return this.#rendezvous.resolve(parsed.data);
    const problem = `the coordinator said ${JSON.stringify(message)?.slice(0, 200)} instead of where to meet`;
    this.#rendezvous.reject(new RingstrasseError({ code: "INTERNAL", problem }));
  }
}
