import { setImmediate as nextTurn } from "node:timers/promises";
import { RingstrasseError } from "../../shared/failure.js";
import { linkClosed } from "../../worker/transport/link-failure.js";
import type { RingFrame } from "../../worker/transport/ring-transport.js";
import { unlessAborted } from "../../worker/unless-aborted.js";

/** What happens to one frame under way. */
export type FrameFate = "deliver" | "drop" | "duplicate";

export interface MemoryLinkOptions {
  /** Turns of the event loop that frame `index` (0-based, of this sender) takes; frames to one peer never overtake each other. */
  readonly latencyTurns?: (index: number) => number;
  /** Chooses the fate of frame `index` of this sender. */
  readonly fate?: (index: number, frame: RingFrame) => FrameFate;
}

/** Overwrites payloads whose time is over, so that a reader who keeps one too long is found out. */
const STALE_BYTE = 0xa5;

/** The ends of links of one process that can reach each other, by endpoint. */
export class MemoryNetwork {
  readonly #ends = new Map<string, MemoryEnd>();

  /** An end with an endpoint of its own. */
  open(options: MemoryLinkOptions): MemoryEnd {
    const end = new MemoryEnd(`memory://${this.#ends.size}`, options);
    this.#ends.set(end.endpoint, end);
    return end;
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  find(endpoint: string): MemoryEnd {
    const found = this.#ends.get(endpoint);
    if (found !== undefined) return found;
    const problem = "no transport of this process has that endpoint";
    const remedy = `Connect to one of ${[...this.#ends.keys()].join(", ")}`;
    throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy });
  }
}

/**
 * One end of links within a process, with the least that the contracts promise: payloads are read where they lie at the moment they
 * are received, not when they are sent, and are overwritten when the next frame is asked for. One reader.
 */
export class MemoryEnd implements AsyncDisposable {
  readonly endpoint: string;
  readonly #options: MemoryLinkOptions;
  readonly #inbox: RingFrame[] = [];
  /** What is on its way, by the end that it goes to. */
  readonly #underWay = new Map<MemoryEnd, Promise<void>>();
  #sent = 0;
  #waitingBytes = 0;
  #mostWaitingBytes = 0;
  #wake: (() => void) | null = null;
  #lent: Uint8Array | null = null;
  #isClosed = false;

  /** Use {@link MemoryNetwork.open}. */
  constructor(endpoint: string, options: MemoryLinkOptions) {
    this.endpoint = endpoint;
    this.#options = options;
  }

  /** Most payload bytes that have ever lain here, sent and not yet asked for. */
  get mostWaitingBytes(): number {
    return this.#mostWaitingBytes;
  }

  /** Returns at once. @throws RingstrasseError ENDPOINT_UNAVAILABLE when this end was disposed of */
  send(frame: RingFrame, to: MemoryEnd): void {
    if (this.#isClosed) throw linkClosed(this.endpoint);
    const index = this.#sent++;
    const fate = this.#options.fate?.(index, frame) ?? "deliver";
    const turns = this.#options.latencyTurns?.(index) ?? 0;
    const before = this.#underWay.get(to) ?? Promise.resolve();
    this.#underWay.set(
      to,
      before.then(() => this.#deliver({ frame, fate, turns, to })),
    );
  }

  /** @throws the signal's reason when aborted. @throws RingstrasseError ENDPOINT_UNAVAILABLE when this end was disposed of */
  async receive(signal: AbortSignal): Promise<RingFrame> {
    signal.throwIfAborted();
    this.#lent?.fill(STALE_BYTE);
    this.#lent = null;
    while (this.#inbox.length === 0) {
      if (this.#isClosed) throw linkClosed(this.endpoint);
      await unlessAborted(this.#arrival(), signal);
    }
    const frame = this.#inbox.shift();
    if (frame === undefined) throw linkClosed(this.endpoint);
    this.#waitingBytes -= frame.payload.byteLength;
    // One byte off, as received buffers may be.
    this.#lent = new Uint8Array(frame.payload.byteLength + 1).subarray(1);
    this.#lent.set(frame.payload);
    return { header: Uint8Array.from(frame.header), payload: this.#lent };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await Promise.all(this.#underWay.values());
  }

  async #deliver(letter: { frame: RingFrame; fate: FrameFate; turns: number; to: MemoryEnd }): Promise<void> {
    for (let turn = 0; turn < letter.turns; turn++) await nextTurn();
    if (this.#isClosed || letter.fate === "drop") return;
    letter.to.#accept(letter.frame);
    if (letter.fate === "duplicate") letter.to.#accept(letter.frame);
  }

  #accept(frame: RingFrame): void {
    if (this.#isClosed) return;
    this.#inbox.push(frame);
    this.#waitingBytes += frame.payload.byteLength;
    this.#mostWaitingBytes = Math.max(this.#mostWaitingBytes, this.#waitingBytes);
    this.#wake?.();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
