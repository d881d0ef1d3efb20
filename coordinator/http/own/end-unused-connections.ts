import type { Socket } from "node:net";
import type { HttpApp } from "../http-app.js";

/**
 * Connections that no request has come over yet, as browsers open them in advance, end when the server closes: Node counts them as busy,
 * and would wait for their time to run out.
 */
export function endUnusedConnections(app: HttpApp): void {
  const unused = new Set<Socket>();
  let isClosing = false;
  app.server.on("connection", (socket: Socket) => {
    if (isClosing) {
      socket.destroy();
      return;
    }
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  app.server.on("request", ({ socket }: { readonly socket: Socket }) => unused.delete(socket));
  app.addHook("preClose", (done) => {
    isClosing = true;
    for (const socket of unused) socket.destroy();
    done();
  });
}
