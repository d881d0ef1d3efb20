import { hostname } from "node:os";
import process from "node:process";
import { RingstrasseError } from "../../../shared/failure.js";
import type { SegmentPlace } from "../../../shared/protocol/control-message.js";
import { type LinuxCalls, linuxCalls } from "../../collective/linux-calls.js";
import { openSegment } from "../../collective/shared-segment.js";
import type { Mpi, MpiRequest } from "../mpi.js";
import { mpiUnavailable } from "../mpi-failure.js";
import { CommandPipe } from "./command-pipe.js";
import { SidecarBoard } from "./sidecar-board.js";
import { type SharedPiece, SidecarMemory } from "./sidecar-memory.js";
import { OPERATION, PHASE, type SidecarCommand, UNDER_WAY } from "./sidecar-protocol.js";

/** Where the threads of this process find its sidecar. Plain data. */
export interface SidecarPlace {
  readonly pid: number;
  /** This process's file descriptor of the end of the pipe that commands are written to. */
  readonly commands: number;
  readonly board: SegmentPlace;
  /** What MPI's library calls itself. */
  readonly version: string;
}

/**
 * MPI by a process beside this one (`sidecar.c`). Payload is copied into memory that both share, and out of it once MPI has done with it:
 * the caller's memory is never seen by MPI. A call costs a write to a pipe; asking costs a look at a word.
 */
export class SidecarMpi implements Mpi {
  readonly version: string;
  readonly rank: number;
  readonly size: number;
  readonly #pid: number;
  readonly #board: SidecarBoard;
  readonly #pipe: CommandPipe;
  readonly #memory: SidecarMemory;
  readonly #calls: LinuxCalls = linuxCalls();
  readonly #finish: () => Promise<void>;

  /** @param finish ends MPI in the thread that began it */
  constructor(place: SidecarPlace, board: SidecarBoard, finish: () => Promise<void>) {
    this.version = place.version;
    this.rank = board.rank;
    this.size = board.size;
    this.#pid = place.pid;
    this.#board = board;
    this.#pipe = new CommandPipe(place.commands);
    this.#memory = new SidecarMemory((segment) => this.#pipe.write({ operation: OPERATION.map, segment }));
    this.#finish = finish;
  }

  send(bytes: Uint8Array, to: number, tag: number): MpiRequest {
    return this.#begin({ operation: OPERATION.send, peer: to, tag, length: bytes.byteLength }, { from: bytes });
  }

  receive(into: Uint8Array, from: number, tag: number): MpiRequest {
    return this.#begin({ operation: OPERATION.receive, peer: from, tag, length: into.byteLength }, { into });
  }

  broadcast(bytes: Uint8Array, root: number): MpiRequest {
    const places = this.rank === root ? { from: bytes } : { into: bytes };
    return this.#begin({ operation: OPERATION.broadcast, peer: root, length: bytes.byteLength }, places);
  }

  sum<Numbers extends Float32Array | Float64Array>(values: Numbers, into: Numbers): MpiRequest {
    const operation = values instanceof Float32Array ? OPERATION.sumFloats : OPERATION.sumDoubles;
    return this.#begin({ operation, length: values.length }, { from: bytesOf(values), into: bytesOf(into) });
  }

  finalize(): Promise<void> {
    return this.#finish();
  }

  /** What MPI writes lies behind what it reads; only a sum has both. */
  #begin(
    command: SidecarCommand,
    { from, into }: { readonly from?: Uint8Array; readonly into?: Uint8Array },
  ): MpiRequest {
    this.#check();
    const [sentBytes, gotBytes] = [from?.byteLength ?? 0, into?.byteLength ?? 0];
    const piece = this.#memory.take(sentBytes + gotBytes);
    if (from !== undefined) piece.bytes.set(from);
    const { segment, offset } = piece;
    this.#pipe.write({ ...command, segment, offset });
    const got = piece.bytes.subarray(sentBytes, sentBytes + gotBytes);
    return new SidecarRequest(piece, into === undefined ? null : { got, into }, {
      wait: () => {
        this.#check();
        // Where cores are few the sidecar may be waiting for this one.
        this.#calls.schedYield();
      },
      done: () => this.#memory.give(piece),
      cancel: () => {
        this.#pipe.write({ operation: OPERATION.cancel, segment, offset });
        this.#memory.abandon(piece);
      },
    });
  }

  /** The sidecar is there, and has heard everything that it can hear. @throws RingstrasseError COLLECTIVE_UNAVAILABLE, WORKER_DIED */
  #check(): void {
    this.#pipe.flush();
    const { phase } = this.#board;
    if (phase !== PHASE.ready) throw sidecarLost(this.#board, this.#pid);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What a request asks of the sidecar that it is under way in. */
interface RequestOwner {
  /** It is not done yet. @throws RingstrasseError when it never will be */
  wait(): void;
  done(): void;
  cancel(): void;
}

interface Answer {
  /** Where MPI leaves it: part of the piece. */
  readonly got: Uint8Array;
  /** The caller's, of the same length. */
  readonly into: Uint8Array;
}

class SidecarRequest implements MpiRequest {
  /** Null: done. */
  #piece: SharedPiece | null;
  readonly #answer: Answer | null;
  readonly #owner: RequestOwner;

  /** @param answer null: MPI gives none */
  constructor(piece: SharedPiece, answer: Answer | null, owner: RequestOwner) {
    this.#piece = piece;
    this.#answer = answer;
    this.#owner = owner;
  }

  isDone(): boolean {
    if (this.#piece === null) return true;
    if (Atomics.load(this.#piece.state, 0) === UNDER_WAY) {
      this.#owner.wait();
      return false;
    }
    this.#answer?.into.set(this.#answer.got);
    this.#piece = null;
    this.#owner.done();
    return true;
  }

  abandon(): void {
    if (this.#piece === null) return;
    this.#piece = null;
    this.#owner.cancel();
  }
}

/** MPI in another thread of the process whose sidecar this is. @throws RingstrasseError COLLECTIVE_UNAVAILABLE */
export function attachSidecar(place: SidecarPlace): Mpi {
  const board = new SidecarBoard(openSegment(place.board).bytes);
  return new SidecarMpi(place, board, () => Promise.reject(new Error("MPI ends in the thread in which it has begun")));
}

/** Why a sidecar that had begun MPI is of no more use: it is gone, which is the rank's death as far as MPI goes, or MPI has failed. */
export function sidecarLost(board: SidecarBoard, pid: number): RingstrasseError {
  const { rank, text } = board;
  const host = hostname();
  if (board.phase === PHASE.ended) {
    const how = `its MPI sidecar, pid ${pid}, ${text}`;
    // Whoever knows the job adds what it was doing.
    const worker = { rank, host, pid: process.pid, replicas: [], step: null };
    return new RingstrasseError({ code: "WORKER_DIED", ...worker, how, lastWords: null });
  }
  const problem = `the MPI sidecar of rank ${rank} (${host}, pid ${pid}): ${text}`;
  return mpiUnavailable(problem, "See what mpirun and the host of this rank say");
}
