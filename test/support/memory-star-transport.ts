import type { RingFrame } from "../../worker/transport/ring-transport.js";
import type { StarTransport } from "../../worker/transport/star-transport.js";
import { type MemoryEnd, type MemoryLinkOptions, MemoryNetwork } from "./memory-end.js";

/** The ends of stars of one process that can reach each other, by endpoint. */
export class MemoryStarNetwork {
  readonly #network = new MemoryNetwork();

  /** An end with an endpoint of its own. */
  bind(options: MemoryLinkOptions = {}): MemoryStarTransport {
    return new MemoryStarTransport(this.#network, options);
  }
}

/** A star within one process: see {@link MemoryEnd}. */
export class MemoryStarTransport implements StarTransport {
  readonly #network: MemoryNetwork;
  readonly #end: MemoryEnd;
  /** By rank. */
  readonly #peers = new Map<number, MemoryEnd>();

  /** Use {@link MemoryStarNetwork.bind}. */
  constructor(network: MemoryNetwork, options: MemoryLinkOptions) {
    this.#network = network;
    this.#end = network.open(options);
  }

  get endpoint(): string {
    return this.#end.endpoint;
  }

  /** Most payload bytes that have ever lain here, sent and not yet asked for. */
  get mostWaitingBytes(): number {
    return this.#end.mostWaitingBytes;
  }

  connect(rank: number, endpoint: string): void {
    if (this.#peers.has(rank)) throw new RangeError(`rank ${rank} is connected already`);
    this.#peers.set(rank, this.#network.find(endpoint));
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE when it was disposed of */
  send(rank: number, frame: RingFrame): void {
    const peer = this.#peers.get(rank);
    if (peer === undefined) throw new RangeError(`send to rank ${rank} before connect`);
    this.#end.send(frame, peer);
  }

  receive(signal: AbortSignal): Promise<RingFrame> {
    return this.#end.receive(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end[Symbol.asyncDispose]();
  }
}
