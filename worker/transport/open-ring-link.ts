import process from "node:process";
import { RingstrasseError } from "../../shared/failure.js";
import type { LinkKeys } from "../../shared/transport/link-keys.js";
import { type Libzmq, loadLibzmq } from "./libzmq.js";
import { LibzmqRingTransport } from "./libzmq-ring-transport.js";
import type { RingTransport } from "./ring-transport.js";
import { ZeromqRingTransport } from "./zeromq-ring-transport.js";

/**
 * This host's end of a ring over ZeroMQ. On Linux by calls of the library itself; elsewhere, where the package doesn't export it, by the
 * package's sockets: the same protocol, slower.
 * @param endpoint `tcp://HOST:0` takes a free port, `ipc://PATH` a socket file, removed at the end.
 * @param keys of links over tcp; null: they are not encrypted
 * @throws RingstrasseError ENDPOINT_UNAVAILABLE
 */
export async function openRingLink(endpoint: string, keys: LinkKeys | null): Promise<RingTransport> {
  if (process.platform !== "linux") return await ZeromqRingTransport.bind(endpoint, keys);
  return new LibzmqRingTransport(load(endpoint), endpoint, { keys });
}

function load(endpoint: string): Libzmq {
  try {
    return loadLibzmq();
  } catch (cause) {
    const problem = `ZeroMQ's library can't be called (${cause instanceof Error ? cause.message : String(cause)})`;
    const remedy = "Install the packages anew, as they are pinned: npm ci";
    throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy }, { cause });
  }
}
