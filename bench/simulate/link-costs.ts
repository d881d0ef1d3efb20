/** What a link and the workers at its ends cost: Hockney's α–β model with a γ for arithmetic. Seconds and bytes. */
export interface LinkCosts {
  /** α: of a message, however small. */
  readonly alphaS: number;
  /** β: of each byte moved. */
  readonly betaSPerByte: number;
  /** γ: of each byte added, or copied where that is the work. */
  readonly gammaSPerByte: number;
}

/** A network as its maker describes it. */
export interface Network {
  readonly gigabitsPerS: number;
  /** One way, between two processes. */
  readonly latencyUs: number;
  /** Share of packets that get lost, 0 ≤ p < 1. */
  readonly lossRate: number;
}

/** Of a packet's payload on Ethernet. */
const SEGMENT_BYTES = 1448;
/** Least time after which TCP sends again what nobody has acknowledged (Linux). */
const RETRANSMIT_S = 0.2;
/** √(3/2): Mathis, Semke, Mahdavi and Ott, "The macroscopic behavior of the TCP congestion avoidance algorithm" (1997). */
const MATHIS = Math.sqrt(1.5);

/**
 * The costs of one TCP connection over a network. Loss costs twice: a connection that loses a share p of its packets gets through at most
 * MSS/RTT · √(3/2)/√p (Mathis et al. 1997); and a message whose last packet is lost waits for the retransmission timer. Pure.
 * @throws RangeError for a rate, latency or loss that no network has
 */
export function networkCosts({ gigabitsPerS, latencyUs, lossRate }: Network, gammaSPerByte: number): LinkCosts {
  if (!(gigabitsPerS > 0) || !(latencyUs > 0)) throw new RangeError(`${gigabitsPerS} Gbit/s, ${latencyUs} µs`);
  if (!(lossRate >= 0 && lossRate < 1)) throw new RangeError(`a loss of ${lossRate} is outside 0 ≤ p < 1`);
  const alphaS = latencyUs / 1e6;
  const lossLimit = (2 * alphaS * Math.sqrt(lossRate)) / (SEGMENT_BYTES * MATHIS);
  return {
    alphaS: alphaS + (lossRate / (1 - lossRate)) * RETRANSMIT_S,
    betaSPerByte: Math.max(8 / (gigabitsPerS * 1e9), lossLimit),
    gammaSPerByte,
  };
}
