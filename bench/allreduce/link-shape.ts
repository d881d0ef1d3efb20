import type { Pace } from "./time-limit.js";

/** What a link between two hosts lets through. */
export interface LinkShape {
  /** 10⁹ bits a second, each way. */
  readonly gbps: number;
  /** Per cent of the packets that are lost, each way. */
  readonly lossPercent: number;
}

const MILLISECONDS_OF_BURST = 1;
/** Two of the largest packets that the kernel hands down at once. */
const LEAST_BURST_BYTES = 128 * 1024;

/** Of `GBPS` or `GBPS:LOSS_PERCENT`. @throws RangeError */
export function readLinkShape(text: string): LinkShape {
  const [, rate, loss = "0"] = /^(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  const shape = { gbps: Number(rate), lossPercent: Number(loss) };
  if (rate === undefined || shape.gbps <= 0 || shape.lossPercent >= 100)
    throw new RangeError(`"${text}" is not GBPS or GBPS:LOSS_PERCENT, such as 1 or 1:0.1`);
  return shape;
}

/** For people. */
export function describeLink({ gbps, lossPercent }: LinkShape): string {
  return `${gbps} Gbit/s${lossPercent === 0 ? "" : `, ${lossPercent} % lost`}`;
}

/** What may leave at once after a pause: a millisecond's worth, as a switch would let through. */
export function burstBytes({ gbps }: LinkShape): number {
  return Math.max(LEAST_BURST_BYTES, Math.round((gbps * 1e9 * MILLISECONDS_OF_BURST) / 8 / 1000));
}

const BITS_PER_BYTE = 8;
/** Part of the rate that any system has to make of it … */
const LEAST_SHARE = 1 / 25;
/** … but no more than this, in bytes a second: loss slows senders down at every rate. */
const LEAST_RATE = 5e6;
const LEAST_EXCHANGE_MS = 20;
/** A message's last packet is sent again after so long. */
const SENT_AGAIN_MS = 200;

/** How slow a system may be over it before it counts as one that hangs: several times what the slowest took. */
export function slowestOver({ gbps, lossPercent }: LinkShape): Pace {
  const rate = Math.min(LEAST_RATE, ((gbps * 1e9) / BITS_PER_BYTE) * LEAST_SHARE);
  return {
    exchangeMs: LEAST_EXCHANGE_MS + SENT_AGAIN_MS * lossPercent,
    bytesPerSecond: rate / (1 + lossPercent),
  };
}

/** Larger than what queues and buckets hold, by far. */
const LEAST_TELLING_BYTES = 4 * 1024 * 1024;
/** Of the rate: what a bucket lets through at the beginning, and what clocks differ by. */
const TOLERATED = 1.1;

/**
 * That more than the link's rate has gone over it, which its shape can't allow: then something else was measured. Null: it has not, or the
 * message is too short to tell. @param row of float32 on the wire; busbw is what each way carried, in GB/s
 */
export function excessOver(
  { gbps }: LinkShape,
  { system, bytes, busbw }: { readonly system: string; readonly bytes: number; readonly busbw: number },
): string | null {
  const carried = busbw * 8;
  if (bytes < LEAST_TELLING_BYTES || carried <= gbps * TOLERATED) return null;
  return `${system} carried ${carried.toFixed(2)} Gbit/s at ${bytes} bytes: the rate does not hold`;
}
