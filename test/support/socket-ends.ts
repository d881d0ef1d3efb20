import type { LinkKeys } from "../../shared/transport/link-keys.js";
import { loadLibzmq } from "../../worker/transport/libzmq.js";
import { LibzmqRingTransport } from "../../worker/transport/libzmq-ring-transport.js";
import type { RingFrame, RingTransport } from "../../worker/transport/ring-transport.js";
import type { StarTransport } from "../../worker/transport/star-transport.js";
import { ZeromqRingTransport } from "../../worker/transport/zeromq-ring-transport.js";
import { ZeromqStarTransport } from "../../worker/transport/zeromq-star-transport.js";

/** An end of a ring or a star over sockets, with one peer. */
export interface SocketEnd extends AsyncDisposable {
  readonly endpoint: string;
  connect(peer: string): void;
  send(frame: RingFrame): void;
  receive(signal: AbortSignal): Promise<RingFrame>;
}

export interface SocketEndKind {
  readonly name: string;
  /** @param keys of links over tcp; null: they are not encrypted */
  bind(endpoint: string, keys: LinkKeys | null): Promise<SocketEnd>;
}

/** Whatever opens sockets for frames: strangers find each. */
export const SOCKET_END_KINDS: readonly SocketEndKind[] = [
  { name: "ring by libzmq's calls", bind: async (endpoint, keys) => bindLibzmq(endpoint, keys) },
  { name: "ring by the package's sockets", bind: (endpoint, keys) => ZeromqRingTransport.bind(endpoint, keys) },
  { name: "star", bind: async (endpoint, keys) => withOnePeer(await ZeromqStarTransport.bind(endpoint, keys)) },
];

function bindLibzmq(endpoint: string, keys: LinkKeys | null): RingTransport {
  return new LibzmqRingTransport(loadLibzmq(), endpoint, { longestSleepMs: 0, keys });
}

function withOnePeer(star: StarTransport): SocketEnd {
  return {
    endpoint: star.endpoint,
    connect: (peer) => star.connect(1, peer),
    send: (frame) => star.send(1, frame),
    receive: (signal) => star.receive(signal),
    [Symbol.asyncDispose]: () => star[Symbol.asyncDispose](),
  };
}
