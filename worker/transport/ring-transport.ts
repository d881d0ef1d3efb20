/** One frame on the ring. `payload` of a received frame is valid until the next frame is asked for. */
export interface RingFrame {
  /** Small and fixed-size; encoded by the collective. */
  readonly header: Uint8Array;
  /** Any number of bytes, at any address: copy before viewing them as numbers. */
  readonly payload: Uint8Array;
}

/**
 * Where a payload of so many bytes behind this header belongs: memory that may be written at once, and holds as many; null: the reader doesn't
 * say. May throw, which `receive` passes on.
 */
export type Landing = (header: Uint8Array, payloadBytes: number) => Uint8Array | null;

/**
 * A one-way ring link: frames go to the next worker, come from the previous one, each link in order, without loss while both
 * ends live. One reader. `send` may read the payload until the peer has received it: the sender must not overwrite it before
 * it has proof of that. Disposing discards frames that have not left yet, and ends a `receive` under way.
 */
export interface RingTransport extends AsyncDisposable {
  /** Where the previous worker must connect to. */
  readonly endpoint: string;
  /** Connects to the next worker's endpoint. Call once, before `send`. @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  connect(next: string): void;
  /** Queues a frame; returns at once. Frames leave in the order of the calls. A failure to send surfaces in `receive`. */
  send(frame: RingFrame): void;
  /**
   * The next frame from the previous worker. After an abort it may be called again, and no frame is lost by that.
   * @param landing is asked by a link that has to copy a payload anyway; the frame's payload is that memory then. Asked in the order of the
   * frames, for those that have come behind the next one too, and only while this call is under way.
   * @throws the signal's reason when aborted.
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE when the link is closed or can't send.
   */
  receive(signal: AbortSignal, landing?: Landing): Promise<RingFrame>;
}
