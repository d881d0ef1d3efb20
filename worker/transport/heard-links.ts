import type { Landing, RingFrame, RingTransport } from "./ring-transport.js";
import type { StarTransport } from "./star-transport.js";

/** Told of every frame that has come; must be quick, and not throw. */
export type FrameListener = () => void;

/** A ring link that tells of every frame that has come over it. What it is made of is its own: it is disposed of with it. */
export class HeardRing implements RingTransport {
  readonly #link: RingTransport;
  readonly #heard: FrameListener;

  constructor(link: RingTransport, heard: FrameListener) {
    this.#link = link;
    this.#heard = heard;
  }

  get endpoint(): string {
    return this.#link.endpoint;
  }

  connect(next: string): void {
    this.#link.connect(next);
  }

  send(frame: RingFrame): void {
    this.#link.send(frame);
  }

  async receive(signal: AbortSignal, landing?: Landing): Promise<RingFrame> {
    const frame = await this.#link.receive(signal, landing);
    this.#heard();
    return frame;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

/** The same for one end of a star. */
export class HeardStar implements StarTransport {
  readonly #end: StarTransport;
  readonly #heard: FrameListener;

  constructor(end: StarTransport, heard: FrameListener) {
    this.#end = end;
    this.#heard = heard;
  }

  get endpoint(): string {
    return this.#end.endpoint;
  }

  connect(rank: number, endpoint: string): void {
    this.#end.connect(rank, endpoint);
  }

  send(rank: number, frame: RingFrame): void {
    this.#end.send(rank, frame);
  }

  async receive(signal: AbortSignal): Promise<RingFrame> {
    const frame = await this.#end.receive(signal);
    this.#heard();
    return frame;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end[Symbol.asyncDispose]();
  }
}
