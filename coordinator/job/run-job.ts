import { join } from "node:path";
import { stepsPerEpoch } from "../../shared/epoch-plan.js";
import { describeFailure, RingstrasseError } from "../../shared/failure.js";
import type { JobSpec } from "../../shared/job-spec.js";
import type { Logger } from "../../shared/logger.js";
import type { EpochEvent, FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import { ControlServer } from "../group/control-server.js";
import { type GroupPolicy, type GroupResult, WorkerGroup } from "../group/worker-group.js";
import type { Launcher } from "../launcher/launcher.js";
import type { OutputDirectory } from "../output/output-directory.js";
import type { Configuration } from "./configuration.js";
import { JobEvents } from "./job-events.js";
import { nextJobStatus } from "./job-state.js";
import { RunRecorder } from "./run-recorder.js";
import { writeTrainedModel } from "./write-trained-model.js";

export interface JobRun {
  readonly spec: JobSpec;
  readonly configuration: Configuration;
  readonly policy: GroupPolicy;
  /** Where to listen for workers. */
  readonly controlEndpoint: string;
  readonly token: string;
  readonly logLevel: string;
  readonly output: OutputDirectory;
  readonly labelColumn: number | null;
  readonly datasetSha256: string;
  readonly version: string;
}

export interface JobSurroundings {
  /** Null: workers are started by hand. */
  readonly launcher: Launcher | null;
  /** Hears all events but the last, which is returned or thrown. */
  readonly emit: (event: TrainEvent) => void;
  /** Told the endpoint once workers can join. */
  readonly listening: (endpoint: string) => void;
  /** Aborts with the reason to fail with (Ctrl-C). */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * The story of a job: listen, launch, form the group, watch it train, keep the result. When it returns or throws, every worker
 * process that it launched has ended.
 * @throws RingstrasseError with the first failure.
 */
export async function runJob(run: JobRun, around: JobSurroundings): Promise<FinishedEvent> {
  const { spec, policy } = run;
  const startedAt = performance.now();
  let status = advance("QUEUED", "start");
  await using server = await ControlServer.open(run.controlEndpoint, run.token, around.log);
  // Only now, so that an address that can't be had leaves no records.
  await using recorder = await RunRecorder.open(run);
  around.emit({
    event: "started",
    jobId: spec.jobId,
    epochs: spec.epochs,
    stepsPerEpoch: stepsPerEpoch(spec.dataset.train.rowCount, spec.batchSize),
    trainRows: spec.dataset.train.rowCount,
    testRows: spec.dataset.test?.rowCount ?? 0,
    workers: policy.workers,
    replicas: spec.replicas,
    configuration: run.configuration,
  });
  try {
    const events = new JobEvents({ spec, startedAt, recorder, emit: around.emit });
    const result = await trainWithGroup(run, server, around, events);
    const last = events.lastEpoch;
    if (last === null)
      throw new RingstrasseError({ code: "INTERNAL", problem: "the workers finished without reporting an epoch" });
    await recorder.flush();
    await writeTrainedModel(run, result.weights);
    const finished = finishedEvent(run, result, last, performance.now() - startedAt);
    await recorder.finish(finished);
    status = advance(status, "finish");
    around.log.debug({ status }, "job ended");
    return finished;
  } catch (thrown) {
    status = advance(status, "fail");
    around.log.debug({ status, err: thrown }, "job ended");
    throw thrown;
  }
}

async function trainWithGroup(
  run: JobRun,
  server: ControlServer,
  around: JobSurroundings,
  events: JobEvents,
): Promise<GroupResult> {
  const { spec, policy, token } = run;
  const { launcher, log, signal } = around;
  await using group = new WorkerGroup({ spec, policy, server, observer: events, log });
  const interrupt = () => group.fail(interruption(signal));
  events.onBroken((failure) => group.fail(failure));
  if (signal.aborted) interrupt();
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    around.listening(server.endpoint);
    const plan = { workers: policy.workers, coordinatorEndpoint: server.endpoint, token, logLevel: run.logLevel };
    await launcher?.launch(plan, (worker) => group.adopt(worker));
    return await group.result();
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

function interruption(signal: AbortSignal): RingstrasseError["failure"] {
  const reason: unknown = signal.reason;
  return reason instanceof RingstrasseError ? reason.failure : { code: "INTERRUPTED", signal: String(reason) };
}

function finishedEvent(run: JobRun, result: GroupResult, last: EpochEvent, wallMs: number): FinishedEvent {
  const { spec, policy } = run;
  return {
    event: "finished",
    jobId: spec.jobId,
    status: "FINISHED",
    engine: spec.engine,
    collective: policy.workers === 1 ? "local" : "ring",
    ordered: true,
    workers: policy.workers,
    replicas: spec.replicas,
    threads: spec.threads,
    epochs: result.epochs,
    steps: result.steps,
    trainLoss: last.trainLoss,
    trainAccuracy: last.trainAccuracy,
    testLoss: last.testLoss,
    testAccuracy: last.testAccuracy,
    samplesPerSecond: last.samplesPerSecond,
    communicationFraction: last.communicationFraction,
    wallMs,
    weightsSha256: result.weightsSha256,
    stateSha256: result.stateSha256,
    modelDir: join(run.output.path, "model"),
  };
}

function advance(status: Parameters<typeof nextJobStatus>[0], event: Parameters<typeof nextJobStatus>[1]) {
  const transition = nextJobStatus(status, event);
  if (transition.kind === "moved") return transition.status;
  throw new RingstrasseError({
    code: "INTERNAL",
    problem: describeFailure({ code: "INTERNAL", problem: transition.reason }),
  });
}
