import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { type LinuxCalls, linuxCalls } from "../../collective/linux-calls.js";
import { libraryVersion } from "../library-version.js";
import type { Mpi } from "../mpi.js";
import { mpiUnavailable } from "../mpi-failure.js";
import { Patience } from "../patience.js";
import { CommandPipe } from "./command-pipe.js";
import { SidecarBoard } from "./sidecar-board.js";
import { descriptorOf, segmentForMpi } from "./sidecar-memory.js";
import { SidecarMpi, type SidecarPlace, sidecarLost } from "./sidecar-mpi.js";
import { BOARD_BYTES, OPERATION, PHASE } from "./sidecar-protocol.js";

const O_CLOEXEC_NONBLOCK = 0o2004000;
const STDERR = 2;
/** The sidecar's own number of the file by which its launcher is talked to; the one before it is that of commands. */
const PMI_FD = 4;

export interface BegunSidecar {
  readonly mpi: Mpi;
  /** For other threads of this process. */
  readonly place: SidecarPlace;
}

/**
 * Begins MPI in a child of this process, which is the rank as far as MPI knows: it inherits the launcher's variables and files. Once in
 * this process's life, in the main thread: the kernel ends the child when the thread that started it ends, however that happens.
 * @param program of `buildSidecar`. @param environment that the launcher has given this process
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE
 */
export async function beginSidecar(
  program: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<BegunSidecar> {
  const memory = segmentForMpi(BOARD_BYTES);
  const board = new SidecarBoard(memory.bytes);
  const { child, commands } = start(program, descriptorOf(memory.place), environment);
  const { pid } = child;
  if (pid === undefined) throw await neverStarted(child, program);
  child.once("exit", (exitCode, signal) => {
    board.end(signal === null ? `has ended with exit code ${exitCode}` : `was ended by ${signal}`);
  });
  // A rank that leaves before its time doesn't wait for it: it ends with its parent.
  child.unref();
  const patience = new Patience();
  while (board.phase === PHASE.starting) await patience.pause();
  if (board.phase === PHASE.failed) throw sidecarLost(board, pid);
  if (board.phase === PHASE.ended) {
    const problem = `the MPI sidecar ${board.text} before MPI had begun`;
    throw mpiUnavailable(
      problem,
      "See what it says on stderr, and whether --mpi-compiler is of the same MPI as mpirun",
    );
  }
  const place = { pid, commands, board: memory.place, version: libraryVersion(board.text) };
  const finish = async (): Promise<void> => {
    const pipe = new CommandPipe(commands);
    pipe.write({ operation: OPERATION.finalize });
    const patience = new Patience();
    // One that has failed doesn't end before this process does.
    while (board.phase === PHASE.ready) {
      pipe.flush();
      await patience.pause();
    }
    if (board.phase === PHASE.failed || child.exitCode !== 0) throw sidecarLost(board, pid);
  };
  return { mpi: new SidecarMpi(place, board, finish), place };
}

function start(
  program: string,
  board: number,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly child: ChildProcess; readonly commands: number } {
  const calls = linuxCalls();
  const [read, write] = pipe(calls);
  // MPICH's launcher talks to each rank over an open file, which Node lets no child have unless told to.
  const pmi = /^\d+$/.exec(environment["PMI_FD"] ?? "")?.[0];
  const env = { ...environment, ...(pmi === undefined ? {} : { PMI_FD: String(PMI_FD) }) };
  // Stdout is for the events of a run.
  const files = ["ignore", STDERR, STDERR, read, ...(pmi === undefined ? [] : [Number(pmi)])] as const;
  try {
    const child = spawn(program, [String(process.pid), String(board)], { env, stdio: [...files] });
    return { child, commands: write };
  } finally {
    calls.close(read);
  }
}

/** The end to read from, and the one to write to; neither blocks. */
function pipe(calls: LinuxCalls): [number, number] {
  const fds = new Int32Array(2);
  if (calls.pipe2(fds, O_CLOEXEC_NONBLOCK) === 0) return [fds[0] ?? -1, fds[1] ?? -1];
  throw mpiUnavailable("the operating system gives no pipe", "Raise the limit on open files (ulimit -n)");
}

async function neverStarted(child: ChildProcess, program: string): Promise<Error> {
  const [cause] = (await once(child, "error")) as [unknown];
  const problem = `the MPI sidecar ${program} can't be started (${cause instanceof Error ? cause.message : String(cause)})`;
  const remedy = "Let XDG_CACHE_HOME name a directory that programs can be started from";
  return mpiUnavailable(problem, remedy, cause);
}
