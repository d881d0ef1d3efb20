import type { FromCoordinator, WorkerBody } from "../../shared/protocol/control-message.js";
import type { SnapshotBoard } from "./snapshot-board.js";

/** Small, so that gradients and heartbeats never wait long behind one. */
const PIECE_BYTES = 256 * 1024;
/** Pieces on their way: enough to keep the coordinator's disk busy, and all that they take of either end's memory. */
const PIECES_AHEAD = 4;

/** A state in shared memory, and what is said of it before its bytes. */
export interface Snapshot {
  readonly opening: Extract<WorkerBody, { kind: "checkpoint" }>;
  readonly bytes: SharedArrayBuffer;
}

/**
 * Sends snapshots to the coordinator beside everything else, piece by piece as the coordinator takes them in; so a large state fills no
 * queue. The board says when the snapshot's memory is free again.
 */
export class SnapshotSender {
  readonly #board: SnapshotBoard;
  readonly #send: (body: WorkerBody) => void;
  #snapshot: Snapshot | null = null;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(board: SnapshotBoard, send: (body: WorkerBody) => void) {
    this.#board = board;
    this.#send = send;
  }

  /** @throws Error while another one is on its way */
  begin(snapshot: Snapshot): void {
    if (this.#snapshot !== null) throw new Error("a snapshot is on its way already");
    this.#snapshot = snapshot;
    this.#sentBytes = 0;
    this.#receivedBytes = 0;
    this.#send(snapshot.opening);
    this.#sendMore(snapshot);
  }

  /** What the coordinator says of checkpoints. @returns whether it was that */
  heard(message: FromCoordinator): boolean {
    if (message.kind === "takeCheckpoint") this.#board.ask();
    else if (message.kind === "checkpointReceived") this.#received(message.receivedBytes);
    else return false;
    return true;
  }

  /** The generation is over: nothing more is sent of what was on its way, and nothing is asked for any more. */
  drop(): void {
    this.#board.answered();
    this.#end();
  }

  #received(bytes: number): void {
    const snapshot = this.#snapshot;
    if (snapshot === null) return;
    this.#receivedBytes = bytes;
    if (bytes >= snapshot.bytes.byteLength) this.#end();
    else this.#sendMore(snapshot);
  }

  #end(): void {
    this.#snapshot = null;
    this.#board.busy(false);
  }

  #sendMore({ opening, bytes }: Snapshot): void {
    const { jobId, generation } = opening;
    const until = Math.min(bytes.byteLength, this.#receivedBytes + PIECES_AHEAD * PIECE_BYTES);
    while (this.#sentBytes < until) {
      const offsetBytes = this.#sentBytes;
      const length = Math.min(PIECE_BYTES, bytes.byteLength - offsetBytes);
      // A copy: encoders refuse shared memory.
      const piece = new Uint8Array(bytes, offsetBytes, length).slice();
      this.#send({ kind: "checkpointPiece", jobId, generation, offsetBytes, bytes: piece });
      this.#sentBytes += length;
    }
  }
}
