import type { RingFrame } from "./ring-transport.js";

/**
 * One worker's end of a star: frames come from whoever has connected to it, and go to those that it has connected to. Each sender's
 * frames arrive in their order, without loss while both ends live; those of several senders mingle, and say themselves whose they are.
 * One reader. `send` may read the payload until the peer has received it: the sender must not overwrite it before it has proof of that.
 * Disposing discards frames that have not left yet, and ends a `receive` under way.
 */
export interface StarTransport extends AsyncDisposable {
  /** Where the others must connect to. */
  readonly endpoint: string;
  /** Makes `endpoint` the one that `send` knows as `rank`. Once for each rank. @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  connect(rank: number, endpoint: string): void;
  /**
   * Queues a frame; returns at once. A failure to send surfaces in `receive`.
   * @throws RangeError for a rank that it has not been connected to
   */
  send(rank: number, frame: RingFrame): void;
  /**
   * The next frame from anybody. After an abort it may be called again, and no frame is lost by that.
   * @throws the signal's reason when aborted.
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE when the end is closed or can't send.
   */
  receive(signal: AbortSignal): Promise<RingFrame>;
}
