import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIP } from "node:net";

/** Any: nothing is sent. */
const DISCARD_PORT = 9;

/**
 * This host's address on the way to another, as its routes have it. Connecting a datagram socket asks for the route and sends nothing.
 * @param address IPv4 or IPv6. @throws the system's error when there is no way
 */
export async function localAddressTowards(address: string): Promise<string> {
  const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
  try {
    const connected = once(socket, "connect");
    socket.connect(DISCARD_PORT, address);
    await connected;
    return socket.address().address;
  } finally {
    socket.close();
  }
}
