import type { EngineWish } from "../../shared/engine-name.js";
import type { LogLevel } from "../../shared/logger.js";

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
  readonly logLevel: LogLevel;
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
  /** That the launcher has given it, and that it keeps in the job; absent: any will do. */
  readonly rank?: number;
  readonly host: string;
  readonly pid: number | null;
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<WorkerExit>;
  /** Ends the process at once, without asking. */
  kill(): void;
}

/** Both null: all that is known is that the process is gone. */
export interface WorkerExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What it said on stderr about its end; null when nothing. */
  readonly lastWords: string | null;
}

export function describeExit(exit: WorkerExit): string {
  if (exit.signal !== null) return `killed by ${exit.signal}`;
  return exit.exitCode === null ? "its process is gone" : `exit code ${exit.exitCode}`;
}
