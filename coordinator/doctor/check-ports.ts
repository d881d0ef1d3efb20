import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { ringAddress } from "../../shared/transport/ring-address.js";
import { isSystemError } from "../../shared/write-failure.js";
import type { MachineCheck } from "./finding.js";
import { judgePorts } from "./judge-ports.js";

/** A firewall that swallows packets answers never; on one host all else answers at once. */
const PATIENCE_MS = 2000;

/** Listens at this host's outward address and connects to it. @param ports to see whether somebody listens there already */
export function portsCheck(ports: readonly number[]): MachineCheck {
  return async () => {
    const address = ringAddress("0.0.0.0");
    const taken: number[] = [];
    for (const port of ports) if (await isTaken(port)) taken.push(port);
    return [judgePorts({ address, problem: await connectProblem(address), taken })];
  };
}

async function connectProblem(address: string): Promise<string | null> {
  const server = createServer((socket) => socket.end());
  try {
    await listen(server, address, 0);
    const place = server.address();
    const port = typeof place === "object" ? (place?.port ?? 0) : 0;
    const socket = connect({ host: address, port });
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(PATIENCE_MS) });
      return null;
    } finally {
      socket.destroy();
    }
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return cause.name === "AbortError" ? `no answer within ${PATIENCE_MS} ms` : cause.message;
  } finally {
    server.close();
  }
}

async function isTaken(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, "127.0.0.1", port);
    return false;
  } catch (cause) {
    if (isSystemError(cause)) return cause.code === "EADDRINUSE";
    throw cause;
  } finally {
    server.close();
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  await once(server, "listening");
}
