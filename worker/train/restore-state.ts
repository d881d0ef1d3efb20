import { createHash } from "node:crypto";
import { RingstrasseError } from "../../shared/failure.js";
import type { FromCoordinator } from "../../shared/protocol/control-message.js";
import type { CommunicationClient } from "../communication/communication-client.js";
import type { Assignment } from "../communication/generation-link.js";
import type { ProgressBoard } from "../communication/progress-board.js";
import type { Arenas } from "./arenas.js";
import { StateFiller, savedStateBytes } from "./saved-state.js";

/** Of a piece that is fetched. */
const PIECE_BYTES = 1 << 20;

export interface RestoreResources {
  readonly communication: Pick<CommunicationClient, "send" | "receive">;
  readonly board: ProgressBoard;
  /** Whose first copies are filled. */
  readonly arenas: Arenas;
  /** Of all replicas' own state: see `replicaStateTensors`. */
  readonly replicaState: readonly Float32Array[];
  /** Whether the state has one of the loss scale. */
  readonly withLossScale: boolean;
}

/**
 * Fetches the state that a generation begins with from the coordinator, one piece after the other, and proves that it is the one that
 * was saved.
 * @returns the state of the loss scale; empty where nothing scales
 * @throws RingstrasseError PROTOCOL_VIOLATION; the failure that ended the job meanwhile
 */
export async function restoreState(
  { jobId, generation }: Assignment,
  resume: NonNullable<Assignment["resume"]>,
  { communication, board, arenas, replicaState, withLossScale }: RestoreResources,
): Promise<readonly number[]> {
  const ownBytes = replicaState.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const expected = savedStateBytes(arenas, withLossScale) + ownBytes;
  if (resume.totalBytes !== expected) throw violation(`a state of ${resume.totalBytes} bytes, expected ${expected}`);
  const filler = new StateFiller(arenas, 0, withLossScale, replicaState);
  const hash = createHash("sha256");
  for (let offsetBytes = 0; offsetBytes < expected; ) {
    const lengthBytes = Math.min(PIECE_BYTES, expected - offsetBytes);
    communication.send({ kind: "fetchState", jobId, generation, offsetBytes, lengthBytes });
    const { bytes } = pieceAt(offsetBytes, lengthBytes, await communication.receive());
    filler.add(bytes);
    hash.update(bytes);
    offsetBytes += bytes.byteLength;
    board.advance("prepare");
  }
  const got = hash.digest("hex");
  if (got !== resume.stateSha256) throw violation(`a state with SHA-256 ${got}, expected ${resume.stateSha256}`);
  return filler.lossScale;
}

type Piece = Extract<FromCoordinator, { kind: "state" }>;

function pieceAt(offsetBytes: number, lengthBytes: number, message: FromCoordinator): Piece {
  if ((message.kind === "stop" || message.kind === "refused") && message.failure !== null)
    throw new RingstrasseError(message.failure);
  if (message.kind !== "state") throw violation(`${message.kind} where a piece of the state belongs`);
  if (message.offsetBytes !== offsetBytes || message.bytes.byteLength !== lengthBytes)
    throw violation(
      `${message.bytes.byteLength} bytes of state at ${message.offsetBytes}, expected ${lengthBytes} at ${offsetBytes}`,
    );
  return message;
}

function violation(what: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem: `it sent ${what}` });
}
