import { hostname } from "node:os";
import process from "node:process";
import { describeFailure } from "../../shared/describe-failure.js";
import { type Failure, toFailure } from "../../shared/failure.js";
import { type Rank, type WorkerId, WorkerIdSchema } from "../../shared/ids.js";
import { type LaunchedPlace, launcherCommand } from "../../shared/launch/launched-place.js";
import type { MeetingPoint } from "../../shared/launch/rank-messages.js";
import { createLogger } from "../../shared/logger.js";
import { nameProcess } from "../../shared/name-process.js";
import { useSocketDirectory } from "../config/socket-directory.js";
import { isNews } from "../is-news.js";
import type { MpiAccess } from "../mpi/mpi-access.js";
import { runWorker } from "../run-worker.js";
import { VERDICT_MS } from "../verdict-patience.js";
import { CoordinatorProcess } from "./coordinator-process.js";
import { Lifeline } from "./lifeline.js";
import type { RankMeeting } from "./rank-meeting.js";

export interface RankOptions {
  readonly place: LaunchedPlace;
  /** Of `ringstrasse train`; rank 0's are the ones that count. */
  readonly args: readonly string[];
  /** The compiled command. */
  readonly entry: string;
  /** How the ranks find each other; told that all have ended well, and else the caller's. */
  readonly meeting: RankMeeting;
  /** Aborts on SIGINT and SIGTERM, with an INTERRUPTED failure. */
  readonly signal: AbortSignal;
  /** Tells of SIGUSR1 and SIGUSR2. */
  readonly onRequest: (hear: (signal: string) => void) => void;
}

/**
 * The life of one of the processes that a launcher has started together: learn where to meet, work as the worker of this rank, and exit
 * with the code of the run. Rank 0 starts the coordinator beside that. MPI ends only if all ranks end well: one that is missing would
 * keep the others for ever, and ending them is the launcher's job.
 * @returns the process's exit code
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE, LAUNCH_FAILED, COORDINATOR_LOST, INTERRUPTED
 */
export async function runRank(options: RankOptions): Promise<number> {
  const { place, meeting, signal } = options;
  const launcher = launcherCommand(place.launcher);
  const coordinator =
    place.rank === 0 ? new CoordinatorProcess(options.entry, [...options.args, `--launcher=${launcher}`]) : null;
  const interrupt = (): void => coordinator?.interrupt(signalOf(signal));
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();
  options.onRequest((request) => coordinator?.interrupt(request));
  const said = (await coordinator?.rendezvous()) ?? null;
  // Rank 0 speaks in any case, so that nobody waits for it.
  const rendezvous = await meeting.share(said, place.rank === 0 ? new AbortController().signal : signal);
  const exitCode = rendezvous.kind === "end" ? rendezvous.exitCode : await workAt(rendezvous, options);
  await coordinator?.ended;
  // Before there was anything to do all are still there, whatever the exit code.
  if (exitCode === 0 || rendezvous.kind === "end") await meeting.finish();
  return exitCode;
}

async function workAt(point: MeetingPoint, { place, meeting, signal, onRequest }: RankOptions): Promise<number> {
  const rank = place.rank as Rank;
  const { socketFolder } = point;
  const address = socketFolder === null ? await meeting.ownAddress(hostOf(point.coordinatorEndpoint)) : "127.0.0.1";
  const workerId = WorkerIdSchema.parse(`${hostname()}-rank-${rank}`);
  nameProcess(`ringstrasse worker ${workerId}`);
  if (socketFolder !== null) useSocketDirectory(socketFolder);
  using lifeline = await Lifeline.open(point, { rank, workerId, host: hostname(), pid: process.pid });
  // Rank 0's coordinator is its child, and hears of its signals without the network.
  if (rank !== 0) relay(signal, onRequest, lifeline);
  const leave = AbortSignal.any([lifeline.signal, afterVerdict(signal)]);
  const failure = await workUntilStopped(point, { workerId, address, mpi: meeting.mpi, signal: leave });
  return await lifeline.done(failure, rank === 0 ? null : VERDICT_MS);
}

interface RankWorker {
  readonly workerId: WorkerId;
  /** This host's, as the other workers reach it. */
  readonly address: string;
  readonly mpi: MpiAccess | null;
  readonly signal: AbortSignal;
}

/** A worker like any other. @returns how it failed; the coordinator's verdict too */
async function workUntilStopped(point: MeetingPoint, rank: RankWorker): Promise<Failure | null> {
  const { workerId, signal } = rank;
  const log = createLogger(point.logLevel, { process: "worker", workerId });
  let hasJoined = false;
  try {
    await runWorker({
      coordinatorEndpoint: point.coordinatorEndpoint,
      token: point.token,
      workerId,
      engine: point.engine,
      threads: point.threads,
      address: rank.address,
      joined: () => {
        hasJoined = true;
      },
      parentPipe: null,
      mpi: rank.mpi,
      healthPort: null,
      signal,
      leaving: null,
      log,
    });
    return null;
  } catch (thrown) {
    const failure = toFailure(thrown);
    // The rest is told by the coordinator, once, instead of by each rank.
    log[isNews(failure, hasJoined) ? "error" : "info"]({ failure }, describeFailure(failure));
    return failure;
  }
}

/** A signal to one rank alone, as Kubernetes sends it to a pod that has to leave its node, is for the coordinator to answer: save and end. */
function relay(signal: AbortSignal, onRequest: RankOptions["onRequest"], lifeline: Lifeline): void {
  const tell = (): void => lifeline.signalled(signalOf(signal));
  if (signal.aborted) tell();
  else signal.addEventListener("abort", tell, { once: true });
  onRequest((request) => lifeline.signalled(request));
}

/** Aborts some time after `signal`, with its reason. */
function afterVerdict(signal: AbortSignal): AbortSignal {
  const abort = new AbortController();
  const wait = (): void => {
    setTimeout(() => abort.abort(signal.reason), VERDICT_MS).unref();
  };
  if (signal.aborted) wait();
  else signal.addEventListener("abort", wait, { once: true });
  return abort.signal;
}

function signalOf({ reason }: AbortSignal): string {
  const failure = toFailure(reason);
  return failure.code === "INTERRUPTED" ? failure.signal : "an error";
}

/** Of `tcp://HOST:PORT`, with the brackets that IPv6 has there. */
function hostOf(endpoint: string): string {
  return endpoint.replace(/^tcp:\/\//, "").replace(/:\d+$/, "");
}
