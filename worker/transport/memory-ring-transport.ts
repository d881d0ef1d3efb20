import { setImmediate as nextTurn } from "node:timers/promises";
import { RingstrasseError } from "../../shared/failure.js";
import { linkClosed } from "./link-failure.js";
import type { RingFrame, RingTransport } from "./ring-transport.js";
import { unlessAborted } from "./unless-aborted.js";

/** What happens to one frame under way. */
export type FrameFate = "deliver" | "drop" | "duplicate";

export interface MemoryLinkOptions {
  /** Turns of the event loop that frame `index` (0-based, of this sender) takes; frames never overtake each other. */
  readonly latencyTurns?: (index: number) => number;
  /** Chooses the fate of frame `index` of this sender. */
  readonly fate?: (index: number, frame: RingFrame) => FrameFate;
}

/** Overwrites payloads whose time is over, so that a reader who keeps one too long is found out. */
const STALE_BYTE = 0xa5;

/** The transports of one process that can reach each other, by endpoint. */
export class MemoryRingNetwork {
  readonly #members = new Map<string, MemoryRingTransport>();

  /** A transport with an endpoint of its own. */
  bind(options: MemoryLinkOptions = {}): MemoryRingTransport {
    const endpoint = `memory://${this.#members.size}`;
    const transport = new MemoryRingTransport(endpoint, this, options);
    this.#members.set(endpoint, transport);
    return transport;
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  find(endpoint: string): MemoryRingTransport {
    const found = this.#members.get(endpoint);
    if (found !== undefined) return found;
    const problem = "no transport of this process has that endpoint";
    const remedy = `Connect to one of ${[...this.#members.keys()].join(", ")}`;
    throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy });
  }
}

/**
 * Ring link within one process, with the least that the contract promises: payloads are read where they lie at the moment they
 * are received, not when they are sent, and are overwritten when the next frame is asked for.
 */
export class MemoryRingTransport implements RingTransport {
  readonly endpoint: string;
  readonly #network: MemoryRingNetwork;
  readonly #options: MemoryLinkOptions;
  readonly #inbox: RingFrame[] = [];
  #next: MemoryRingTransport | null = null;
  #sent = 0;
  #underWay: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  #lent: Uint8Array | null = null;
  #isClosed = false;

  /** Use {@link MemoryRingNetwork.bind}. */
  constructor(endpoint: string, network: MemoryRingNetwork, options: MemoryLinkOptions) {
    this.endpoint = endpoint;
    this.#network = network;
    this.#options = options;
  }

  connect(next: string): void {
    this.#next = this.#network.find(next);
  }

  send(frame: RingFrame): void {
    const next = this.#next;
    if (this.#isClosed || next === null) throw linkClosed(this.endpoint);
    const index = this.#sent++;
    const fate = this.#options.fate?.(index, frame) ?? "deliver";
    const turns = this.#options.latencyTurns?.(index) ?? 0;
    this.#underWay = this.#underWay.then(() => this.#deliver({ frame, fate, turns, to: next }));
  }

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
    // One byte off, as received buffers may be.
    this.#lent = new Uint8Array(frame.payload.byteLength + 1).subarray(1);
    this.#lent.set(frame.payload);
    return { header: Uint8Array.from(frame.header), payload: this.#lent };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#underWay;
  }

  async #deliver(letter: { frame: RingFrame; fate: FrameFate; turns: number; to: MemoryRingTransport }): Promise<void> {
    for (let turn = 0; turn < letter.turns; turn++) await nextTurn();
    if (this.#isClosed || letter.fate === "drop") return;
    letter.to.#accept(letter.frame);
    if (letter.fate === "duplicate") letter.to.#accept(letter.frame);
  }

  #accept(frame: RingFrame): void {
    if (this.#isClosed) return;
    this.#inbox.push(frame);
    this.#wake?.();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
