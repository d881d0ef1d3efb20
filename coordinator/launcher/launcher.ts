import type { EngineWish } from "../../shared/engine-name.js";

/** Starts workers somewhere. */
export interface Launcher {
  readonly name: string;
  /**
   * Starts all workers; resolves when their processes exist (not: when they have joined). `launched` is told of each at once, since a
   * process may end, or join, before the next one has started.
   * @throws RingstrasseError LAUNCH_FAILED; the workers launched before are left to the caller.
   */
  launch(plan: LaunchPlan, launched: (worker: LaunchedWorker) => void): Promise<void>;
}

export interface LaunchPlan {
  /** One worker for each: their places among the workers of this coordinator, 0 and up. */
  readonly places: readonly number[];
  /** What workers connect to. */
  readonly coordinatorEndpoint: string;
  /** Shared secret of this run. */
  readonly token: string;
  readonly logLevel: string;
  /** What they are to have; `auto`: wasm and the fastest that is here. */
  readonly engine: EngineWish;
  /** Of one computation of a native engine. */
  readonly threads: number;
  /** This host's address as workers of other hosts reach it; absent: there are none. */
  readonly address?: string;
}

/** One worker process, as its launcher sees it. */
export interface LaunchedWorker {
  /** Its place; a worker announces itself with it. */
  readonly index: number;
  readonly workerId: string;
  readonly host: string;
  readonly pid: number | null;
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<WorkerExit>;
  /** Ends the process at once, without asking. */
  kill(): void;
}

export interface WorkerExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What it said on stderr about its end; null when nothing. */
  readonly lastWords: string | null;
}

export function describeExit(exit: WorkerExit): string {
  return exit.signal !== null ? `killed by ${exit.signal}` : `exit code ${exit.exitCode}`;
}
