/*
 * What `sidecar.c` and the rank's process say to each other; the numbers are the same there. Commands go over a pipe, payload and answers
 * through memory that both map.
 */

/** What the sidecar is told to do. */
export const OPERATION = {
  map: 1,
  send: 2,
  receive: 3,
  broadcast: 4,
  sumFloats: 5,
  sumDoubles: 6,
  cancel: 7,
  finalize: 8,
} as const;

export interface SidecarCommand {
  readonly operation: (typeof OPERATION)[keyof typeof OPERATION];
  /** Rank of the peer, or of a broadcast's root. */
  readonly peer?: number;
  readonly tag?: number;
  /** This process's file descriptor of the memory. */
  readonly segment?: number;
  /** Where the payload begins in that file; of sums: a rank's numbers, and behind them the place for the sums. */
  readonly offset?: number;
  /** Bytes; of sums: numbers. */
  readonly length?: number;
}

/** Small enough that a pipe takes it as a whole or not at all. */
export const COMMAND_BYTES = 32;

/** In the machine's own byte order, as C reads it. Pure. */
export function encodeCommand(command: SidecarCommand): Uint8Array {
  const words = new Int32Array(COMMAND_BYTES / 4);
  words[0] = command.operation;
  words[1] = command.peer ?? 0;
  words[2] = command.tag ?? 0;
  words[3] = command.segment ?? 0;
  const sizes = new BigUint64Array(words.buffer, 16);
  sizes[0] = BigInt(command.offset ?? 0);
  sizes[1] = BigInt(command.length ?? 0);
  return new Uint8Array(words.buffer);
}

/** Before each payload lies the word that says whether MPI has done with it. */
export const STATE_BYTES = 64;
export const UNDER_WAY = 0;

/** The board: words, then a text, behind the header of its segment. */
export const BOARD_BYTES = 8192;
export const BOARD_WORD = { phase: 0, rank: 1, size: 2, textBytes: 3 } as const;
export const BOARD_TEXT_OFFSET = 16;
export const BOARD_TEXT_BYTES = 8000;

/** How far a sidecar has come; the last is written by the process that it was the child of. */
export const PHASE = { starting: 0, ready: 1, failed: 2, ended: 3 } as const;
