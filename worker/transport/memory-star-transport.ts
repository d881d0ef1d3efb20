import { setImmediate as nextTurn } from "node:timers/promises";
import { RingstrasseError } from "../../shared/failure.js";
import { linkClosed } from "./link-failure.js";
import type { FrameFate } from "./memory-ring-transport.js";
import type { RingFrame } from "./ring-transport.js";
import type { StarTransport } from "./star-transport.js";
import { unlessAborted } from "./unless-aborted.js";

export interface MemoryStarOptions {
  /** Turns of the event loop that frame `index` (0-based, of this sender) takes; frames to one peer never overtake each other. */
  readonly latencyTurns?: (index: number) => number;
  /** Chooses the fate of frame `index` of this sender. */
  readonly fate?: (index: number, frame: RingFrame) => FrameFate;
}

/** Overwrites payloads whose time is over, so that a reader who keeps one too long is found out. */
const STALE_BYTE = 0xa5;

/** The ends of stars of one process that can reach each other, by endpoint. */
export class MemoryStarNetwork {
  readonly #members = new Map<string, MemoryStarTransport>();

  /** An end with an endpoint of its own. */
  bind(options: MemoryStarOptions = {}): MemoryStarTransport {
    const endpoint = `memory://${this.#members.size}`;
    const transport = new MemoryStarTransport(endpoint, this, options);
    this.#members.set(endpoint, transport);
    return transport;
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  find(endpoint: string): MemoryStarTransport {
    const found = this.#members.get(endpoint);
    if (found !== undefined) return found;
    const problem = "no transport of this process has that endpoint";
    const remedy = `Connect to one of ${[...this.#members.keys()].join(", ")}`;
    throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy });
  }
}

interface Peer {
  readonly transport: MemoryStarTransport;
  underWay: Promise<void>;
}

/**
 * A star within one process, with the least that the contract promises: payloads are read where they lie at the moment they are received,
 * not when they are sent, and are overwritten when the next frame is asked for.
 */
export class MemoryStarTransport implements StarTransport {
  readonly endpoint: string;
  readonly #network: MemoryStarNetwork;
  readonly #options: MemoryStarOptions;
  readonly #peers = new Map<number, Peer>();
  readonly #inbox: RingFrame[] = [];
  #sent = 0;
  #mostWaitingBytes = 0;
  #wake: (() => void) | null = null;
  #lent: Uint8Array | null = null;
  #isClosed = false;

  /** Use {@link MemoryStarNetwork.bind}. */
  constructor(endpoint: string, network: MemoryStarNetwork, options: MemoryStarOptions) {
    this.endpoint = endpoint;
    this.#network = network;
    this.#options = options;
  }

  /** Most payload bytes that have ever lain here, sent and not yet asked for. */
  get mostWaitingBytes(): number {
    return this.#mostWaitingBytes;
  }

  connect(rank: number, endpoint: string): void {
    if (this.#peers.has(rank)) throw new RangeError(`rank ${rank} is connected already`);
    this.#peers.set(rank, { transport: this.#network.find(endpoint), underWay: Promise.resolve() });
  }

  send(rank: number, frame: RingFrame): void {
    const peer = this.#peers.get(rank);
    if (peer === undefined) throw new RangeError(`send to rank ${rank} before connect`);
    if (this.#isClosed) throw linkClosed(this.endpoint);
    const index = this.#sent++;
    const fate = this.#options.fate?.(index, frame) ?? "deliver";
    const turns = this.#options.latencyTurns?.(index) ?? 0;
    peer.underWay = peer.underWay.then(() => this.#deliver({ frame, fate, turns, to: peer.transport }));
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
    for (const { underWay } of this.#peers.values()) await underWay;
  }

  async #deliver(letter: { frame: RingFrame; fate: FrameFate; turns: number; to: MemoryStarTransport }): Promise<void> {
    for (let turn = 0; turn < letter.turns; turn++) await nextTurn();
    if (this.#isClosed || letter.fate === "drop") return;
    letter.to.#accept(letter.frame);
    if (letter.fate === "duplicate") letter.to.#accept(letter.frame);
  }

  #accept(frame: RingFrame): void {
    if (this.#isClosed) return;
    this.#inbox.push(frame);
    const waitingBytes = this.#inbox.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    this.#mostWaitingBytes = Math.max(this.#mostWaitingBytes, waitingBytes);
    this.#wake?.();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
