import { RingstrasseError } from "../../shared/failure.js";
import type { Logger, LogLevel } from "../../shared/logger.js";
import type { FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import type { InterruptedFailure } from "../cli/interruption.js";
import { engineNeedOf } from "../group/choose-engine.js";
import { ControlServer } from "../group/control-server.js";
import { Gathering } from "../group/gathering.js";
import { type GroupResult, JobGroup } from "../group/job-group.js";
import { WorkerPool } from "../group/worker-pool.js";
import type { Launcher } from "../launcher/launcher.js";
import { checkpointKeeperOf } from "./checkpoint-keeper-of.js";
import type { JobEvents } from "./job-events.js";
import { keepRun } from "./keep-run.js";
import type { TrainingRun } from "./training-run.js";

export interface JobSurroundings {
  /** Where to listen for workers. */
  readonly controlEndpoint: string;
  readonly token: string;
  readonly logLevel: LogLevel;
  /** Null: workers are started by hand. */
  readonly launcher: Launcher | null;
  /** Hears all events but the last, which is returned or thrown. */
  readonly emit: (event: TrainEvent) => void;
  /** Told the endpoint once workers can join. */
  readonly listening: (endpoint: string) => void;
  /** Aborts with the reason to fail with (Ctrl-C). */
  readonly signal: AbortSignal;
  /** Calls the handler, once, when the run is told to end after its state is saved; until it is disposed of. */
  readonly onStop: (handler: (failure: InterruptedFailure) => void) => Disposable;
  readonly log: Logger;
}

/**
 * A run of one job, from start to end: listen, launch, form the group, watch it train, keep the result. When it returns or throws,
 * every worker process that it launched has ended.
 * @throws RingstrasseError with the first failure.
 */
export async function runJob(run: TrainingRun, around: JobSurroundings): Promise<FinishedEvent> {
  // Before there are records, so that an address that can't be had leaves none.
  await using server = await ControlServer.open(around.controlEndpoint, around.token, around.log);
  const { finished } = await keepRun(run, around.emit, (events) => trainWithOwnWorkers(run, server, around, events));
  return finished;
}

async function trainWithOwnWorkers(
  run: TrainingRun,
  server: ControlServer,
  around: JobSurroundings,
  events: JobEvents,
): Promise<GroupResult> {
  const { spec, policy } = run;
  const { launcher, log, signal } = around;
  const { workers, joinTimeoutMs } = policy;
  using gathering = new Gathering({ workers, replicas: spec.replicas, joinTimeoutMs }, engineNeedOf(spec));
  const pool = new WorkerPool({
    server,
    policy: { ...policy, comeBack: false },
    admit: (message, here) => gathering.admit(message, here),
    listener: gathering,
    log,
  });
  await using checkpoints = checkpointKeeperOf(run, events, around.emit);
  const group = new JobGroup({ spec, policy, pool, observer: events, log, checkpoints });
  using _stop = around.onStop((failure) => group.saveAndEnd(failure));
  const interrupt = () => group.fail(failureOf(signal));
  signal.addEventListener("abort", interrupt, { once: true });
  events.onBroken((failure) => group.fail(failure));
  try {
    gathering.begin({ pool, group, endpoint: server.endpoint });
    if (signal.aborted) interrupt();
    around.listening(server.endpoint);
    const places = Array.from({ length: workers }, (_, place) => place);
    const plan = {
      places,
      coordinatorEndpoint: server.endpoint,
      token: around.token,
      logLevel: around.logLevel,
      engine: spec.engine,
      threads: spec.threads,
    };
    await launcher?.launch(plan, (worker) => pool.adopt(worker));
    return await group.result();
  } finally {
    signal.removeEventListener("abort", interrupt);
    await pool.close(group.verdict);
  }
}

/** What a job fails with whose signal has aborted. */
export function failureOf(signal: AbortSignal): RingstrasseError["failure"] {
  const reason: unknown = signal.reason;
  return reason instanceof RingstrasseError ? reason.failure : { code: "INTERRUPTED", signal: String(reason) };
}
