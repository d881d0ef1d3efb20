import { linkClosed } from "../../worker/transport/link-failure.js";
import type { RingFrame, RingTransport } from "../../worker/transport/ring-transport.js";
import { type MemoryEnd, type MemoryLinkOptions, MemoryNetwork } from "./memory-end.js";

/** The rings' transports of one process that can reach each other, by endpoint. */
export class MemoryRingNetwork {
  readonly #network = new MemoryNetwork();

  /** A transport with an endpoint of its own. */
  bind(options: MemoryLinkOptions = {}): MemoryRingTransport {
    return new MemoryRingTransport(this.#network, options);
  }
}

/** Ring link within one process: see {@link MemoryEnd}. */
export class MemoryRingTransport implements RingTransport {
  readonly #network: MemoryNetwork;
  readonly #end: MemoryEnd;
  #next: MemoryEnd | null = null;

  /** Use {@link MemoryRingNetwork.bind}. */
  constructor(network: MemoryNetwork, options: MemoryLinkOptions) {
    this.#network = network;
    this.#end = network.open(options);
  }

  get endpoint(): string {
    return this.#end.endpoint;
  }

  connect(next: string): void {
    this.#next = this.#network.find(next);
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE before it is connected, or when it was disposed of */
  send(frame: RingFrame): void {
    if (this.#next === null) throw linkClosed(this.endpoint);
    this.#end.send(frame, this.#next);
  }

  receive(signal: AbortSignal): Promise<RingFrame> {
    return this.#end.receive(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end[Symbol.asyncDispose]();
  }
}
