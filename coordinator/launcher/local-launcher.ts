import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import process from "node:process";
import { withoutOptions } from "../../shared/cli/without-options.js";
import { gpuDevices } from "../../shared/engine-store/gpu-devices.js";
import { RingstrasseError } from "../../shared/failure.js";
import { lastWords } from "./last-words.js";
import type { LaunchedWorker, Launcher, LaunchPlan, WorkerExit } from "./launcher.js";

/** Of stderr, kept to find a process's last words in. */
const KEPT_CHARS = 8000;

/**
 * Workers as child processes on this host. Each holds the read end of a pipe as its stdin and exits when that closes, so none
 * outlives the coordinator, however it ends.
 */
export class LocalLauncher implements Launcher {
  readonly name = "local";
  readonly #entry: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #stderr: NodeJS.WritableStream;
  readonly #deviceDirectory: string;

  /**
   * @param entry the compiled command that is run with `worker …`.
   * @param environment for the workers: without the options of this command, whose config file theirs would refuse; the token is added.
   * @param stderr where the workers' logs go.
   * @param deviceDirectory where the driver shows GPUs.
   */
  constructor(entry: string, environment: NodeJS.ProcessEnv, stderr: NodeJS.WritableStream, deviceDirectory = "/dev") {
    this.#deviceDirectory = deviceDirectory;
    this.#entry = entry;
    this.#environment = withoutOptions(environment);
    this.#stderr = stderr;
  }

  async launch(plan: LaunchPlan, launched: (worker: LaunchedWorker) => void): Promise<void> {
    for (const place of plan.places) launched(await this.#launchOne(plan, place));
  }

  async #launchOne(plan: LaunchPlan, index: number): Promise<LaunchedWorker> {
    const workerId = `${hostname()}-${process.pid}-${index}`;
    const { child, ended } = await this.#spawn(plan, workerId, index).catch((cause: unknown) => {
      throw notStarted(cause);
    });
    // Writing never happens; a worker that is gone must not raise EPIPE here.
    child.stdin.on("error", () => child.stdin.destroy());
    return {
      index,
      workerId,
      host: hostname(),
      pid: child.pid ?? null,
      ended,
      kill: () => child.kill("SIGKILL"),
    };
  }

  /** Some errors of the operating system are thrown by `spawn`, others are events: here all reject. */
  async #spawn(plan: LaunchPlan, workerId: string, index: number) {
    const child = spawn(
      process.execPath,
      [
        this.#entry,
        "worker",
        `--coordinator=${plan.coordinatorEndpoint}`,
        `--worker-id=${workerId}`,
        "--exit-with-parent",
        `--log-level=${plan.logLevel}`,
        `--engine=${plan.engine}`,
        `--threads=${plan.threads}`,
        ...(plan.address === undefined ? [] : [`--address=${plan.address}`]),
      ],
      // The token goes by environment: command lines are readable by every user of the host.
      {
        stdio: ["pipe", "ignore", "pipe"],
        env: { ...this.#environment, ...(await this.#gpuOf(plan, index)), RINGSTRASSE_TOKEN: plan.token },
      },
    );
    const ended = watchExit(child, this.#stderr);
    await once(child, "spawn");
    return { child, ended };
  }

  /** One GPU per worker, in turn; nothing where there are none, or none are wanted. */
  async #gpuOf({ engine }: LaunchPlan, index: number): Promise<NodeJS.ProcessEnv> {
    if (engine !== "auto" && engine !== "tensorflow-gpu") return {};
    const devices = await gpuDevices(this.#environment, this.#deviceDirectory);
    const device = devices[index % devices.length];
    return device === undefined ? {} : { ["CUDA_VISIBLE_DEVICES"]: device };
  }
}

function notStarted(cause: unknown): RingstrasseError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  const remedy = "Check the limits on processes and memory of this host (ulimit -u, free -m)";
  return new RingstrasseError({ code: "LAUNCH_FAILED", host: hostname(), problem, remedy }, { cause });
}

function watchExit(child: ChildProcess, stderr: NodeJS.WritableStream): Promise<WorkerExit> {
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr.write(chunk);
    words = (words + chunk.toString("utf8")).slice(-KEPT_CHARS);
  });
  return new Promise((resolve) => {
    // `close` comes after stderr has been read to its end; `error` alone (no such program) when nothing was spawned.
    child.once("error", (cause) => resolve({ exitCode: null, signal: null, lastWords: cause.message }));
    child.once("close", (exitCode, signal) => {
      resolve({ exitCode, signal, lastWords: lastWords(words) });
    });
  });
}
