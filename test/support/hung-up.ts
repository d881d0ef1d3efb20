import type { Socket } from "node:net";

/** Resolves when the socket is closed: by its other end too, and though being cut off in the middle of what one says is an error. */
export function hungUp(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on("error", () => undefined).once("close", () => resolve()));
}
