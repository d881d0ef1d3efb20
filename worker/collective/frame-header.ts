import { RingstrasseError } from "../../shared/failure.js";

/** Whether a frame carries the sum of some replicas, of all, or what one replica adds to it; or what one worker has of its own, for all others. */
export type FramePhase = "partial" | "total" | "gathered" | "gradient" | "ask" | "grant" | "parameters";

/** Says what a frame's payload is, so that a worker notices at once when its peer does something else. */
export interface FrameHeader {
  readonly generation: number;
  readonly sequence: number;
  /** 0 is the scalar block, 1… are the arena's. Of what is gathered: its owner's rank. */
  readonly block: number;
  readonly phase: FramePhase;
  /** Replicas that the payload is the sum of; R for a total. Of a gradient: as many as the block's sum has when it has been added. Of what is gathered: which piece of
   * its owner's part this is, from 0. */
  readonly folded: number;
  readonly payloadBytes: number;
  /** Rank of the sender. */
  readonly sender: number;
  /** First 8 bytes of the layout hash: see {@link layoutTag}. */
  readonly layout: bigint;
}

/** Small enough (up to 128) for zeromq to copy it, so that headers need no lifetime. */
export const FRAME_HEADER_BYTES = 48;
/** "RSF" and the format's version, 1. */
const MAGIC = 0x52534601;
const PHASES: readonly FramePhase[] = ["partial", "total", "gathered", "gradient", "ask", "grant", "parameters"];

/** The first 8 bytes of a layout hash given in hex. @throws RangeError when it isn't one. */
export function layoutTag(layoutHash: string): bigint {
  if (!/^[0-9a-f]{16}/.test(layoutHash)) throw new RangeError(`"${layoutHash}" is not a hash in lower-case hex`);
  return BigInt(`0x${layoutHash.slice(0, 16)}`);
}

/**
 * Fixed layout, big-endian: 0 magic and version (4), 4 phase (4), 8 generation (8), 16 sequence (8), 24 block (4),
 * 28 folded (4), 32 payload bytes (4), 36 sender (4), 40 layout (8).
 */
export function encodeHeader(header: FrameHeader): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, PHASES.indexOf(header.phase));
  view.setBigUint64(8, BigInt(header.generation));
  view.setBigUint64(16, BigInt(header.sequence));
  view.setUint32(24, header.block);
  view.setUint32(28, header.folded);
  view.setUint32(32, header.payloadBytes);
  view.setUint32(36, header.sender);
  view.setBigUint64(40, header.layout);
  return bytes;
}

/**
 * @param from names the peer in messages.
 * @throws RingstrasseError PROTOCOL_VIOLATION for another length, magic number, version or phase.
 */
export function decodeHeader(bytes: Uint8Array, from: string): FrameHeader {
  if (bytes.byteLength !== FRAME_HEADER_BYTES) {
    throw violation(from, `a frame header of ${bytes.byteLength} bytes, expected ${FRAME_HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  if (magic !== MAGIC) {
    throw violation(from, `a frame that starts with ${hex(magic)}, expected ${hex(MAGIC)} (format and version)`);
  }
  const phase = PHASES[view.getUint32(4)];
  if (phase === undefined) throw violation(from, `a frame of the unknown phase ${view.getUint32(4)}`);
  return {
    generation: Number(view.getBigUint64(8)),
    sequence: Number(view.getBigUint64(16)),
    block: view.getUint32(24),
    phase,
    folded: view.getUint32(28),
    payloadBytes: view.getUint32(32),
    sender: view.getUint32(36),
    layout: view.getBigUint64(40),
  };
}

function violation(from: string, problem: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
