import { hostname } from "node:os";
import process from "node:process";
import { describeFailure, type Failure, toFailure } from "../../shared/failure.js";
import { type Rank, type WorkerId, WorkerIdSchema } from "../../shared/ids.js";
import type { LaunchedPlace } from "../../shared/launch/launched-place.js";
import type { MeetingPoint } from "../../shared/launch/rank-messages.js";
import { createLogger } from "../../shared/logger.js";
import { ringAddress } from "../../shared/transport/ring-address.js";
import { useSocketDirectory } from "../config/socket-directory.js";
import { isNews } from "../is-news.js";
import { chooseLibrary } from "../mpi/choose-library.js";
import type { Mpi } from "../mpi/mpi.js";
import { mpiUnavailable } from "../mpi/mpi-failure.js";
import { beginMpi } from "../mpi/mpi-library.js";
import { runWorker } from "../run-worker.js";
import { VERDICT_MS } from "../verdict-patience.js";
import { CoordinatorProcess } from "./coordinator-process.js";
import { Lifeline } from "./lifeline.js";
import { shareRendezvous } from "./share-rendezvous.js";

export interface RankOptions {
  readonly place: LaunchedPlace;
  /** Of `ringstrasse train`; rank 0's are the ones that count. */
  readonly args: readonly string[];
  /** The compiled command. */
  readonly entry: string;
  /** MPI's library as the user names it; null: the one that goes with the launcher. */
  readonly library: string | null;
  /** Aborts on SIGINT and SIGTERM, with an INTERRUPTED failure. */
  readonly signal: AbortSignal;
  /** Tells of SIGUSR1 and SIGUSR2. */
  readonly onRequest: (hear: (signal: string) => void) => void;
}

/**
 * The life of one of the processes that an MPI launcher has started: begin MPI, learn by it where to meet, work as the worker of this
 * rank, and exit with the code of the run. Rank 0 starts the coordinator beside that. MPI ends only if all ranks end well: one that is
 * missing would keep the others for ever, and ending them is the launcher's job.
 * @returns the process's exit code
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE, LAUNCH_FAILED, COORDINATOR_LOST, INTERRUPTED
 */
export async function runRank(options: RankOptions): Promise<number> {
  const { place, signal } = options;
  const library = chooseLibrary(place.launcher, options.library);
  const mpi = beginMpi(library);
  refuseOtherRanks(mpi, place, library);
  const coordinator = place.rank === 0 ? new CoordinatorProcess(options.entry, options.args) : null;
  const interrupt = (): void => coordinator?.interrupt(signalOf(signal));
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();
  options.onRequest((request) => coordinator?.interrupt(request));
  const said = (await coordinator?.rendezvous()) ?? null;
  // Rank 0 speaks in any case, so that nobody waits for it.
  const rendezvous = await shareRendezvous(mpi, said, place.rank === 0 ? new AbortController().signal : signal);
  const exitCode = rendezvous.kind === "end" ? rendezvous.exitCode : await workAt(rendezvous, library, options);
  await coordinator?.ended;
  // Before there was anything to do all are still there, whatever the exit code.
  if (exitCode === 0 || rendezvous.kind === "end") mpi.finalize();
  return exitCode;
}

async function workAt(meeting: MeetingPoint, library: string, { place, signal }: RankOptions): Promise<number> {
  const rank = place.rank as Rank;
  const { token, socketFolder } = meeting;
  const workerId = WorkerIdSchema.parse(`${hostname()}-rank-${rank}`);
  process.title = `ringstrasse worker ${workerId}`;
  if (socketFolder !== null) useSocketDirectory(socketFolder);
  const here = { kind: "here", token, rank, workerId, host: hostname(), pid: process.pid } as const;
  using lifeline = await Lifeline.open(meeting.lifeline, here);
  const leave = AbortSignal.any([lifeline.signal, afterVerdict(signal)]);
  const failure = await workUntilStopped(meeting, { workerId, library, signal: leave });
  return await lifeline.done(failure);
}

interface RankWorker {
  readonly workerId: WorkerId;
  readonly library: string;
  readonly signal: AbortSignal;
}

/** A worker like any other. @returns how it failed; the coordinator's verdict too */
async function workUntilStopped(meeting: MeetingPoint, rank: RankWorker): Promise<Failure | null> {
  const { workerId, signal } = rank;
  const log = createLogger(meeting.logLevel, { process: "worker", workerId });
  let hasJoined = false;
  try {
    await runWorker({
      coordinatorEndpoint: meeting.coordinatorEndpoint,
      token: meeting.token,
      workerId,
      engine: meeting.engine,
      threads: meeting.threads,
      address: meeting.socketFolder === null ? ringAddress("0.0.0.0") : "127.0.0.1",
      joined: () => {
        hasJoined = true;
      },
      parentPipe: null,
      mpiLibrary: rank.library,
      signal,
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

/** The library of another MPI than the launcher's makes each process a world of its own. */
function refuseOtherRanks(mpi: Mpi, { rank, worldSize }: LaunchedPlace, library: string): void {
  if (mpi.rank === rank && mpi.size === worldSize) return;
  const problem = `${library} (${mpi.version}) takes this process for rank ${mpi.rank} of ${mpi.size}, its launcher for rank ${rank} of ${worldSize}`;
  throw mpiUnavailable(
    problem,
    "Name the library of the MPI whose mpirun was used by --mpi-library, or use its mpirun",
  );
}
