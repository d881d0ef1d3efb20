import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpApp } from "./http-app.js";

/**
 * Ends the connections of an app that closes, before the server does: connections without an answer under way at once, the others with their
 * answers, and what is left after `graceMs`, an upload that never ends, say, by cutting it off: then `cut` is told.
 *
 * Node alone would wait for connections that no request has come over yet, as browsers open them in advance, for requests that were refused
 * before they were there, and, as long as a connection is kept alive, for one whose answer ends after the server has looked for idle ones; and
 * of an answer that its client has not taken yet it would drop the rest.
 */
export function endConnections(app: HttpApp, graceMs: number, cut: () => void): void {
  /** Of each open connection. */
  const answersUnderWay = new Map<Socket, number>();
  let isClosing = false;
  let allEnded: () => void = () => undefined;
  const count = (socket: Socket, change: number): void => {
    const before = answersUnderWay.get(socket);
    // It has ended, its answer with it.
    if (before === undefined) return;
    answersUnderWay.set(socket, before + change);
    if (isClosing && before + change === 0) socket.destroySoon();
  };
  app.server.on("connection", (socket: Socket) => {
    if (isClosing) {
      socket.destroy();
      return;
    }
    answersUnderWay.set(socket, 0);
    socket.once("close", () => {
      answersUnderWay.delete(socket);
      if (answersUnderWay.size === 0) allEnded();
    });
  });
  app.server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    count(socket, +1);
    response.once("close", () => count(socket, -1));
  });
  app.addHook("onSend", ({ raw }, reply, payload, done) => {
    // Behind this answer the client need not expect any other.
    if (isClosing && answersUnderWay.get(raw.socket) === 1) void reply.header("connection", "close");
    done(null, payload);
  });
  app.addHook("preClose", (done) => {
    isClosing = true;
    const late = setTimeout(() => {
      cut();
      for (const socket of answersUnderWay.keys()) socket.destroy();
    }, graceMs);
    allEnded = () => {
      clearTimeout(late);
      done();
    };
    if (answersUnderWay.size === 0) allEnded();
    for (const socket of answersUnderWay.keys()) count(socket, 0);
  });
}
